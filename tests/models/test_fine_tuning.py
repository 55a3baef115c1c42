"""A tuned checkpoint holds what was trained: shown here on the shipped pair, and checked after every training."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BloomForCausalLM, DiffLlamaForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaForCausalLM

import models.sft.sft_trainer
import models.sft.training_run
from models.attention.differential import lambdas
from models.loading.load_model import LoadedModel, LoadError, fingerprint, load
from models.loading.lora_adapters import adapter_deltas, add_adapter, attach_adapter, lora_targets, merge_adapter
from models.loading.read_checkpoint import read_model
from models.model_registry import MODELS, ModelSpec, find_model, trained_on
from models.sft.fine_tuning import tune
from models.sft.reload_checks import TrainedSnapshot, check_reload, logits_of, relative_difference
from models.sft.saved_steps import last_intact_step, seal
from models.sft.sft_options import LORA_TARGETS, SUFFIX, Tuning
from models.sft.tokenized_examples import accepted_inputs, pad_left, training_rows
from models.sft.tuning_errors import (
    NoTuningProblems,
    TrainingDiverged,
    TuningLostToRounding,
    TuningMismatch,
    TuningNotApplied,
    TuningNotSaved,
    TuningOutOfMemory,
    UnsupportedTuningDtype,
)
from models.upstream_transformers import checkpoint_of_step, saved_steps
from noise import mini
from noise.problems.problem import Problem
from reports.store import stage_and_file_names

PROBLEMS = mini.problems("train")[:32]
CLASSES = {"diffllama": DiffLlamaForCausalLM, "llama": LlamaForCausalLM}


def tuned(folder: Path, name: str = "diffllama", problems: list[Problem] = PROBLEMS, **options: Any) -> Path:
    spec = options.pop("spec", None) or find_model(name)
    progress = options.pop("progress", lambda done, total, loss: None)
    return tune(spec, problems, folder, Tuning(**{"epochs": 1, **options}), "cpu", "float32", progress=progress)


@pytest.fixture(scope="module", params=["diffllama-lora", "llama-lora", "diffllama-full", "llama-full"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """Return a model's name, the method, and the folder of its tuned checkpoint."""
    name, _, method = request.param.partition("-")
    return name, method, tuned(tmp_path_factory.mktemp("checkpoints") / f"{name}-sft", name, method=method)


@pytest.fixture(scope="module")
def tuned_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that copies a LoRA checkpoint of a model, tuned once in this module, to a folder."""
    originals: dict[str, Path] = {}

    def copy(folder: Path, name: str = "diffllama") -> Path:
        if name not in originals:
            originals[name] = tuned(tmp_path_factory.mktemp("originals") / f"{name}-sft", name)
        return Path(shutil.copytree(originals[name], folder))

    return copy


def batch_of(loaded: LoadedModel, count: int = 6) -> dict[str, torch.Tensor]:
    return pad_left(training_rows(loaded, PROBLEMS[:count]).to_list(), pad_token_id=0)


def log_of(folder: Path) -> dict[str, Any]:
    log: dict[str, Any] = json.loads((folder / "training.json").read_text())
    return log


def test_a_tuned_model_is_of_its_base_s_class(checkpoint: tuple[str, str, Path]) -> None:
    name, _, folder = checkpoint
    assert type(load(str(folder)).model) is CLASSES[name]
    assert log_of(folder)["proof"]["class"] == CLASSES[name].__name__


def test_the_reloaded_model_is_to_the_bit_the_one_in_memory(checkpoint: tuple[str, str, Path]) -> None:
    assert log_of(checkpoint[2])["proof"]["reread_difference"] == 0.0


def test_tuning_changes_the_logits(checkpoint: tuple[str, str, Path]) -> None:
    name, _, folder = checkpoint
    base, after = load(name, "cpu", "float32"), load(str(folder), "cpu", "float32")
    inputs = batch_of(base)
    assert relative_difference(logits_of(after.model, inputs), logits_of(base.model, inputs)) > 1e-3


def test_a_checkpoint_may_be_moved(checkpoint: tuple[str, str, Path], tmp_path: Path) -> None:
    _, _, folder = checkpoint
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "mine"))
    here, there = load(str(folder), "cpu", "float32"), load(f"mine={moved}", "cpu", "float32")
    inputs = batch_of(here)
    assert torch.equal(logits_of(here.model, inputs), logits_of(there.model, inputs))
    assert here.fingerprint == there.fingerprint


def test_a_tuned_miniature_keeps_its_caveat(checkpoint: tuple[str, str, Path]) -> None:
    name, _, folder = checkpoint
    assert find_model(f"mine={folder}").caveat == MODELS[name].caveat


def test_the_log_describes_the_training(checkpoint: tuple[str, str, Path]) -> None:
    name, method, folder = checkpoint
    log = log_of(folder)
    assert log["settings"]["method"] == method
    assert log["settings"]["base"] == fingerprint(Path(MODELS[name].source))
    assert [point["step"] for point in log["loss"]] == [1, 2, 3, 4]
    assert log["tokens"] == sum(training_rows(load(name), PROBLEMS)["length"])
    assert (log["trained_parameters"] < log["parameters"]) == (method == "lora")
    assert {"torch", "transformers", "peft"} <= log["versions"].keys()


@pytest.mark.parametrize("name", CLASSES)
def test_every_targeted_layer_of_every_block_is_adapted(
    tuned_copy: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    folder = tuned_copy(tmp_path / "sft", name)
    base = read_model(Path(MODELS[name].source), torch.float32)
    changes = adapter_deltas(attach_adapter(base, folder))
    targets = LORA_TARGETS[base.config.model_type]
    expected = {module for module, _ in base.named_modules() if module.rpartition(".")[2] in targets}
    assert len(expected) == 7 * base.config.num_hidden_layers
    assert {module.removeprefix("base_model.model.") for module in changes} == expected
    assert all(change > 0 for change in changes.values())


@pytest.mark.parametrize("name", CLASSES)
def test_an_adapter_merged_and_next_to_its_base_agree(
    tuned_copy: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    folder = tuned_copy(tmp_path / "sft", name)
    inputs = batch_of(load(name))
    differences = {}
    for precision in (torch.float32, torch.float64):
        unmerged = attach_adapter(read_model(Path(MODELS[name].source), precision), folder).to(precision)
        logits = logits_of(unmerged, inputs)
        differences[precision] = (logits_of(merge_adapter(unmerged), inputs) - logits).abs().max()
    # The logits reach 23, where float32 is up to 1e-4 from float64: only float64 can show the identity.
    assert differences[torch.float64] <= 1e-4
    assert differences[torch.float32] <= 1e-4 * logits.abs().max()
    assert log_of(folder)["proof"]["merged_difference"] <= 1e-4


def test_lambda_is_frozen_under_lora_and_trained_under_full(tuned_copy: Callable[..., Path], tmp_path: Path) -> None:
    base = lambdas(load("diffllama", "cpu", "float32").model)
    assert torch.equal(lambdas(load(str(tuned_copy(tmp_path / "lora")), "cpu", "float32").model), base)
    full = lambdas(load(str(tuned(tmp_path / "full", method="full", rate=1e-3)), "cpu", "float32").model)
    assert (full != base).all()


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_base_in_memory_is_not_changed(tmp_path: Path, method: str) -> None:
    base = load("diffllama", "cpu", "float32")
    inputs = batch_of(base)
    modules, logits = [type(m) for m in base.model.modules()], logits_of(base.model, inputs)
    randomness = torch.random.get_rng_state()
    tuned(tmp_path / "sft", method=method)
    assert [type(module) for module in base.model.modules()] == modules
    assert torch.equal(logits_of(base.model, inputs), logits)
    assert all(parameter.requires_grad for parameter in base.model.parameters())
    assert not base.model.training
    assert torch.equal(torch.random.get_rng_state(), randomness)


def test_an_adapter_names_its_base_so_that_others_can_find_it(tuned_copy: Callable[..., Path], tmp_path: Path) -> None:
    """By its registered name, or by a relative path, so that both can be moved together."""
    by_name = tuned_copy(tmp_path / "named")
    assert json.loads((by_name / "adapter_config.json").read_text())["base_model_name_or_path"] == "diffllama"
    shutil.copytree(MODELS["llama"].source, tmp_path / "one" / "base")
    folder = tuned(tmp_path / "one" / "sft", spec=find_model(f"mine={tmp_path / 'one' / 'base'}"))
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "../base"
    (tmp_path / "one").rename(tmp_path / "other")
    assert type(load(str(tmp_path / "other" / "sft")).model) is LlamaForCausalLM
    shutil.rmtree(tmp_path / "other" / "base")
    with pytest.raises(
        LoadError, match=r"adapter in .*sft needs the base model '\.\./base', which is not a registered"
    ):
        load(str(tmp_path / "other" / "sft"))


def test_an_adapter_that_was_moved_finds_its_base_at_its_former_path(tmp_path: Path) -> None:
    base = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "base"))
    folder = tuned(tmp_path / "results" / "checkpoints" / "mine-sft", spec=ModelSpec("mine", str(base)))
    aside = tmp_path / "results" / "set_aside" / "yesterday" / "checkpoints"
    aside.parent.mkdir(parents=True)
    folder.parent.rename(aside)
    assert type(load(str(aside / "mine-sft")).model) is LlamaForCausalLM
    shutil.rmtree(base)
    with pytest.raises(LoadError, match=r"needs the base model '\.\./\.\./\.\./base', which is not a registered"):
        load(str(aside / "mine-sft"))


def test_an_adapter_in_a_linked_folder_finds_its_base(tmp_path: Path) -> None:
    base = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "base"))
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "results").symlink_to(tmp_path / "far" / "away")
    folder = tuned(tmp_path / "results" / "sft", spec=ModelSpec("mine", str(base)))
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "../../../base"
    assert type(load(str(folder)).model) is LlamaForCausalLM


def test_an_adapter_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "llama", "peft_type": "IA3"}')
    with pytest.raises(LoadError, match="holds an adapter of type 'IA3'; expected 'LORA'"):
        load(str(tmp_path))


def test_running_out_of_memory_suggests_a_smaller_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total of …")

    monkeypatch.setattr(models.sft.sft_trainer.AnswerTrainer, "compute_loss", full)
    message = r"not enough memory on cpu to tune it in batches of 8 \(CUDA out of memory\); a smaller batch"
    with pytest.raises(TuningOutOfMemory, match=message):
        tuned(tmp_path / "sft")
    assert {path.name for path in tmp_path.iterdir()} == {".sft.lock", "unfinished"}


@pytest.mark.parametrize("limit", [300, 100_000, 700_000])
def test_a_disk_that_refuses_a_file_is_said_and_nothing_is_left_half(tmp_path: Path, limit: int) -> None:
    """A file-size limit stands for a full disk. These meet a lock, the weights, and the optimizer's state."""
    with file_size_limit(limit), pytest.raises(TuningNotSaved, match=f"'llama': cannot save its .* in {tmp_path}: "):
        tuned(tmp_path / "sft", "llama", problems=PROBLEMS[:8])
    assert not (tmp_path / "sft").exists()
    with pytest.warns(UserWarning, match="not all of it was saved, .*; the training starts over"):
        assert tuned(tmp_path / "sft", "llama", problems=PROBLEMS[:8]).is_dir(), "with room, the same goes on"


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_keys_of_the_tuning_problems_are_kept_also_through_a_second_tuning(tmp_path: Path) -> None:
    first = tuned(tmp_path / "first", problems=PROBLEMS[:8])
    again = tuned(tmp_path / "again", spec=find_model(f"mine={first}"), problems=PROBLEMS[8:16], method="full")
    keys = trained_on(find_model(f"mine={again}"))
    assert all(problem.dedup_keys <= keys for problem in PROBLEMS[:16])
    assert not any(problem.dedup_keys & keys for problem in PROBLEMS[16:])
    assert not trained_on(find_model("llama"))
    (again / "trained_on.txt").unlink()
    with pytest.raises(ValueError, match=r"'mine' was tuned, but .* lacks trained_on\.txt, the list of problems it"):
        trained_on(find_model(f"mine={again}"))


def test_position_ids_are_passed_only_to_models_that_take_them() -> None:
    inputs = {"input_ids": 1, "position_ids": 2, "logits_to_keep": 3}
    assert accepted_inputs(small_gpt_neox(), inputs) == inputs
    assert accepted_inputs(object.__new__(BloomForCausalLM), inputs) == {"input_ids": 1, "logits_to_keep": 3}


def test_an_adapter_is_not_put_on_other_weights(tmp_path: Path) -> None:
    base = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "base"))
    folder = tuned(tmp_path / "sft", spec=ModelSpec("mine", str(base)))
    shutil.copy(Path(MODELS["diffllama"].source) / "tokenizer_config.json", base)
    (base / "generation_config.json").write_text("{}")
    with pytest.raises(LoadError, match="was trained on other weights"):
        load(str(folder))


def test_an_adapter_that_lacks_weights_of_its_base_s_layers_is_refused(
    tuned_copy: Callable[..., Path], tmp_path: Path
) -> None:
    """peft would initialise them and only warn."""
    folder = tuned_copy(tmp_path / "sft")
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(dict(list(weights.items())[2:]), folder / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LoadError, match=r"adapter_config\.json for DiffLlamaForCausalLM asks for: missing base_model"):
        load(str(folder))


def test_a_second_time_the_checkpoint_is_used_as_it_is(
    tuned_copy: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tuned_copy(tmp_path / "sft")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    monkeypatch.setattr(models.sft.training_run, "build_trainer", lambda *arguments: pytest.fail("trained again"))
    tuned(tmp_path / "sft")
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("changed", "parameter", "message"),
    [
        ({"epochs": 2}, "epochs", "epochs was 1 and is now 2"),
        ({"method": "full"}, "method", "method was 'lora' and is now 'full'"),
        ({"problems": PROBLEMS[:8]}, "samples", "samples was 32 and is now 8"),
        ({"name": "llama"}, "base", r"base was '\w{8}…' and is now"),
    ],
)
def test_a_checkpoint_of_other_settings_is_never_overwritten(
    tuned_copy: Callable[..., Path], tmp_path: Path, changed: dict[str, Any], parameter: str, message: str
) -> None:
    folder = tuned_copy(tmp_path / "sft")
    before = (folder / "training.json").read_bytes()
    with pytest.raises(TuningMismatch, match=message) as mismatch:
        tuned(folder, **changed)
    assert parameter in mismatch.value.parameters
    assert mismatch.value.folder == folder
    assert (folder / "training.json").read_bytes() == before


def test_a_folder_with_other_files_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "sft").mkdir()
    (tmp_path / "sft" / "thesis.tex").write_text("years of work")
    with pytest.raises(TuningMismatch, match="holds no finished fine-tuning") as mismatch:
        tuned(tmp_path / "sft")
    assert mismatch.value.parameters == ()
    assert (tmp_path / "sft" / "thesis.tex").read_text() == "years of work"


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_at(share: float) -> Callable[[int, int, float], None]:
    def progress(done: int, total: int, loss: float) -> None:
        if done >= share * total:
            raise Killed

    return progress


@pytest.mark.parametrize("method", ["lora", pytest.param("full", marks=pytest.mark.slow)])
def test_a_killed_training_resumes_from_its_last_saved_step_and_ends_in_the_same_weights(
    tmp_path: Path, method: str
) -> None:
    whole = tuned(tmp_path / "whole" / "sft", method=method, epochs=3)
    with pytest.raises(Killed):
        tuned(tmp_path / "cut" / "sft", method=method, epochs=3, progress=killed_at(0.6))
    (work,) = (tmp_path / "cut" / "unfinished").iterdir()
    assert len(saved_steps(work)) == 2
    assert not (tmp_path / "cut" / "sft").exists()
    done: list[int] = []
    resumed = tuned(
        tmp_path / "cut" / "sft", method=method, epochs=3, progress=lambda now, total, loss: done.append(now)
    )
    assert min(done) > 0.4 * 96, "only the remaining steps are trained"
    weights = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    assert (resumed / weights).read_bytes() == (whole / weights).read_bytes()
    assert log_of(resumed)["loss"] == log_of(whole)["loss"]
    assert not work.exists()


@pytest.fixture(scope="module")
def killed_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a training that was killed: steps 6 and 8 of 12 are saved."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.raises(Killed):
        tuned(folder / "sft", epochs=3, progress=killed_at(0.7))
    return folder


@pytest.fixture(scope="module")
def whole_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of the same training, that nothing happened to."""
    return tuned(tmp_path_factory.mktemp("whole") / "sft", epochs=3)


def add_to_a_weight(checkpoint: Path) -> None:
    weights = load_file(checkpoint / "adapter_model.safetensors")
    weights[min(weights)] += 0.1
    save_file(weights, checkpoint / "adapter_model.safetensors", metadata={"format": "pt"})


class RunsOnLoading:
    """Makes a folder if it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "another weight": add_to_a_weight,
    "an empty file": lambda checkpoint: (checkpoint / "optimizer.pt").write_bytes(b""),
    "a pickle that runs": lambda checkpoint: (checkpoint / "optimizer.pt").write_bytes(
        pickle.dumps(RunsOnLoading(checkpoint.parents[2] / "it-ran"), protocol=2)  # torch warns of later ones
    ),
    "a file less": lambda checkpoint: (checkpoint / "scheduler.pt").unlink(),
    "a file more": lambda checkpoint: (checkpoint / "pytorch_model.bin").write_bytes(b"x"),
    "a pipe": lambda checkpoint: os.mkfifo(checkpoint / "scaler.pt"),
    "no digests, as of an earlier version or a kill": lambda checkpoint: (checkpoint / "SHA256SUMS").unlink(),
    "empty digests": lambda checkpoint: (checkpoint / "SHA256SUMS").write_bytes(b""),
    "digests that are no text": lambda checkpoint: (checkpoint / "SHA256SUMS").write_bytes(b"\xff\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_saved_step_that_was_changed_is_passed_over(killed_training: Path, tmp_path: Path, damage: str) -> None:
    (work,) = Path(shutil.copytree(killed_training, tmp_path / "cut") / "unfinished").iterdir()
    newest = checkpoint_of_step(work, 8)
    DAMAGE[damage](newest)
    last, passed_over = last_intact_step(work)
    assert last == 6
    assert passed_over is not None
    assert "checkpoint-8 in " in passed_over
    assert passed_over.endswith("it was changed since; the training goes on from step 6")
    assert not newest.exists()
    assert last_intact_step(work) == (6, None), "it is said once"


def test_a_training_whose_saved_steps_were_changed_ends_in_the_same_weights(
    killed_training: Path, whole_training: Path, tmp_path: Path
) -> None:
    """From the older step if that is intact, and from nothing otherwise. What was put there does not run."""
    for damaged, start in (((8,), "goes on from step 6"), ((8, 6), "starts over")):
        cut = Path(shutil.copytree(killed_training, tmp_path / f"cut-{len(damaged)}"))
        (work,) = (cut / "unfinished").iterdir()
        add_to_a_weight(checkpoint_of_step(work, damaged[-1]))
        DAMAGE["a pickle that runs"](checkpoint_of_step(work, 8))
        with pytest.warns(UserWarning, match=f"model 'diffllama': checkpoint-8.* the training {start}") as said:
            resumed = tuned(cut / "sft", epochs=3)
        assert len([warning for warning in said if "checkpoint-8" in str(warning.message)]) == 1
        assert {path.name for path in cut.iterdir()} == {"sft", ".sft.lock"}
        for name in ("adapter_model.safetensors", "trained_on.txt"):
            assert (resumed / name).read_bytes() == (whole_training / name).read_bytes()
        assert log_of(resumed)["loss"] == log_of(whole_training)["loss"]
        assert log_of(resumed)["resumed_after_step"] == (6 if len(damaged) == 1 else 0)


def test_a_pickle_does_not_run_even_with_its_own_digest(killed_training: Path, tmp_path: Path) -> None:
    cut = Path(shutil.copytree(killed_training, tmp_path / "cut"))
    (work,) = (cut / "unfinished").iterdir()
    DAMAGE["a pickle that runs"](checkpoint_of_step(work, 8))
    seal(checkpoint_of_step(work, 8))
    with pytest.raises(pickle.UnpicklingError):
        tuned(cut / "sft", epochs=3)
    assert not (cut / "it-ran").exists()


def test_the_digests_of_a_saved_step_can_be_checked_with_sha256sum(killed_training: Path) -> None:
    (work,) = (killed_training / "unfinished").iterdir()
    for step in saved_steps(work):
        checkpoint = checkpoint_of_step(work, step)
        lines = [line.split("  ") for line in (checkpoint / "SHA256SUMS").read_text().splitlines()]
        assert {name for _, name in lines} == {path.name for path in checkpoint.iterdir()} - {"SHA256SUMS"}
        for digest, name in lines:
            assert hashlib.sha256((checkpoint / name).read_bytes()).hexdigest() == digest


def test_only_folders_of_a_step_are_saved_steps(tmp_path: Path) -> None:
    for name in ("checkpoint-9", "checkpoint-10", "checkpoint-x", "checkpoint-07", "last_good_step"):
        (tmp_path / name).mkdir()
    assert saved_steps(tmp_path) == [10, 9]
    assert saved_steps(tmp_path / "nothing") == []
    assert last_intact_step(tmp_path / "nothing") == (0, None)


def test_training_is_repeatable_to_the_bit(tmp_path: Path) -> None:
    first, second = (tuned(tmp_path / name / "sft") for name in ("first", "second"))
    assert (first / "adapter_model.safetensors").read_bytes() == (second / "adapter_model.safetensors").read_bytes()


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    """The loss is the mean over the tokens of a step, however many batches that takes."""
    problems = PROBLEMS[:16]
    whole = tuned(tmp_path / "whole" / "sft", problems=problems, batch=16, accumulation=1)
    parts = tuned(tmp_path / "parts" / "sft", problems=problems, batch=4, accumulation=4)
    (one_batch,), (four_batches,) = log_of(whole)["loss"], log_of(parts)["loss"]
    assert one_batch["loss"] == pytest.approx(four_batches["loss"], rel=1e-3)


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path: Path) -> None:
    message = r"became (nan|inf|infinite or NaN) in step \d+ of \d+; .*a learning rate below 1e\+30 may help"
    with pytest.raises(TrainingDiverged, match=message):
        tuned(tmp_path / "sft", method="full", rate=1e30)
    assert not (tmp_path / "sft").exists()


def test_the_weights_before_a_bad_step_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = models.sft.sft_trainer.AnswerTrainer.compute_loss, []

    def bad_at_third(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return original(*arguments, **options) * (float("nan") if len(calls) == 3 else 1.0)

    monkeypatch.setattr(models.sft.sft_trainer.AnswerTrainer, "compute_loss", bad_at_third)
    message = "the loss became nan in step 3 of 4; the weights after step 2 are kept"
    with pytest.raises(TrainingDiverged, match=message):
        tuned(tmp_path / "sft")
    (kept,) = (tmp_path / "unfinished").glob("*/last_good_step")
    changes = adapter_deltas(attach_adapter(read_model(Path(MODELS["diffllama"].source), torch.float32), kept))
    assert all(0 < change < float("inf") for change in changes.values())


def test_a_checkpoint_that_does_not_hold_what_was_trained_is_refused(tmp_path: Path) -> None:
    """The check fails for another model in memory, and for a file that lost a layer's change."""
    folder, base = tuned(tmp_path / "sft"), Path(MODELS["diffllama"].source)
    loaded = load("diffllama", "cpu", "float32")
    inputs = batch_of(loaded)
    in_memory = attach_adapter(read_model(base, torch.float32), folder)

    def measured() -> dict[str, Any]:
        return check_reload(TrainedSnapshot.of(in_memory, inputs), folder, base, torch.float32)

    assert measured()["reread_difference"] == 0.0
    for name, parameter in in_memory.named_parameters():
        if name.endswith("layers.2.mlp.up_proj.lora_B.default.weight"):
            parameter.data += 0.01
    with pytest.raises(TuningNotApplied, match="differs from the one in memory"):
        measured()
    for parameter in (p for name, p in in_memory.named_parameters() if "layers.2.mlp.up_proj.lora_B" in name):
        parameter.data.zero_()
    in_memory.save_pretrained(str(folder), save_embedding_layers=False)
    with pytest.raises(TuningNotApplied, match=r"changes nothing in .*layers\.2\.mlp\.up_proj"):
        measured()


def test_a_change_that_rounding_undoes_is_refused(tmp_path: Path) -> None:
    """The merged weights are rounded to bfloat16, which can undo the whole change of an adapter."""
    with pytest.raises(
        TuningLostToRounding, match=r"rounded to bfloat16, .* equal those of the base: .* learning rate"
    ):
        tune(find_model("llama"), PROBLEMS, tmp_path / "sft", Tuning(epochs=1, rate=1e-9), "cpu", "bfloat16")
    assert not (tmp_path / "sft").exists()


def test_no_problem_to_tune_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoTuningProblems, match="expected at least one problem to tune on, got none"):
        tuned(tmp_path / "sft", problems=[])


def test_float16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedTuningDtype, match='dtype="float16": expected float32 or bfloat16'):
        tune(find_model("llama"), PROBLEMS, tmp_path / "sft", Tuning(), "cpu", "float16")


def test_bfloat16_is_tuned_and_checked(tmp_path: Path) -> None:
    folder = tune(find_model("diffllama"), PROBLEMS, tmp_path / "sft", Tuning(epochs=1), "cpu", "bfloat16")
    proof = log_of(folder)["proof"]
    assert proof["reread_difference"] <= 1e-6
    assert proof["used_layers"] == 28, "seven matrices in each of four layers, after rounding too"
    assert proof["used_difference"] < proof["base_difference"], (
        "the model in use is nearer to the trained one than the base is"
    )
    assert load(str(folder), "cpu", "bfloat16").model.dtype is torch.bfloat16


def small_gpt_neox(**changes: str) -> GPTNeoXForCausalLM:
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    )
    for name, value in changes.items():
        setattr(model.config, name, value)
    return model


def test_the_adapted_layers_of_other_architectures_are_those_that_peft_lists() -> None:
    assert lora_targets(small_gpt_neox()) == ["query_key_value"]


def test_every_linear_layer_is_adapted_in_an_architecture_that_peft_does_not_know() -> None:
    model = small_gpt_neox()
    model.config.__class__ = type("Odd", (GPTNeoXConfig,), {"model_type": "odd"})
    assert lora_targets(model) == "all-linear"
    parameters = [name for name, _ in add_adapter(model, Tuning()).named_parameters() if "lora_A" in name]
    layers = {name.partition(".lora_A")[0].rpartition(".")[2] for name in parameters}
    assert layers == {"query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"}


def test_reports_and_models_name_a_tuned_model_alike() -> None:
    """`reports` imports nothing from `models`, and both name the suffix and the log."""
    from models.model_registry import TRAINING_LOG

    assert (stage_and_file_names.TUNED_SUFFIX, stage_and_file_names.TRAINING_LOG) == (SUFFIX, TRAINING_LOG)

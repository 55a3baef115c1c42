"""`python -m models download` against a hub on loopback: the real `huggingface_hub` asks it, nothing is mocked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.hub.hub_cache import cached, checksum_of, has_checksum
from models.loading.load_model import LoadError, load
from models.model_registry import MODELS, ModelSpec
from tests.models.random_models import SUBFOLDER, write_checkpoint
from tests.models.stand_in_hub import Fault, Hub, stand_in_hub

ROOT = Path(__file__).parents[2]
PAIR = {"diffllama-375m": "diffllama", "llama-375m": "llama"}
WEIGHTS = f"{SUBFOLDER}/model.safetensors"
NEEDED = {
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stand-ins of the study's two checkpoints, and what a training leaves beside such."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, family in PAIR.items():
        inner = write_checkpoint(family, folder / name / SUBFOLDER)
        (inner / "optimizer.pt").write_bytes(b"never" * 1000)
        (inner / "trainer_state.json").write_text("{}")
        (folder / name / "README.md").write_text("# a model")
        shutil.copytree(inner, folder / name / "checkpoint-1")
    return folder


@pytest.fixture
def hub(checkpoints: Path) -> Iterator[Hub]:
    """A hub that has them, at the commits that they are pinned to."""
    with stand_in_hub() as running:
        for name in PAIR:
            running.add(MODELS[name].source, checkpoints / name, sha=str(MODELS[name].revision))
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def command(hub: Hub, home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "models", *arguments],
        cwd=ROOT,
        env={**os.environ, **hub.environment(home), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def downloaded(hub: Hub, home: Path, *names: str, **variables: str) -> tuple[int, str, str]:
    """Exit status, output and errors of `python -m models download NAME…`, the last without the hub's own warnings."""
    running = command(hub, home, "download", *names, **variables)
    out, err = running.communicate(timeout=60)
    own = [line for line in err.splitlines() if line.startswith("python -m models") or "Traceback" in line]
    return running.returncode, out, "\n".join(own)


def folder_of(home: Path, name: str) -> Path | None:
    return cached(MODELS.get(name) or ModelSpec(name, name), home / "hub")


def whole(home: Path, name: str = "diffllama-375m") -> bool:
    """Whether the model is here, and every file of it has the hub's bytes."""
    folder = folder_of(home, name)
    return folder is not None and all(has_checksum(path, str(checksum_of(path))) for path in folder.iterdir())


def test_the_pair_is_fetched_and_nothing_that_nobody_needs(hub: Hub, home: Path) -> None:
    status, out, err = downloaded(hub, home)
    assert (status, err) == (0, "")
    for name in PAIR:
        folder = folder_of(home, name)
        assert folder is not None
        assert {path.name for path in folder.iterdir()} == NEEDED
        assert whole(home, name)
        assert f"{name}: 6 files, 35.0 MiB, of {MODELS[name].source}@{MODELS[name].revision}/{SUBFOLDER}\n" in out
        assert f"{name}: checked, {folder}\n" in out
    fetched = {path for method, path, _ in hub.asked if method == "GET"}
    assert not [path for path in fetched if "optimizer" in path or "checkpoint-1/" in path or "README" in path]
    last = [path for method, path, _ in hub.asked if method == "GET"][-1]
    assert last == f"store:{WEIGHTS}", "the weights last: without them it is no model"


def test_a_second_call_asks_nobody_and_works_without_a_hub(hub: Hub, home: Path) -> None:
    downloaded(hub, home, "llama-375m")
    hub.asked.clear()
    for variables in ({}, {"HF_HUB_OFFLINE": "1"}):
        assert downloaded(hub, home, "llama-375m", **variables) == (
            0, f"llama-375m: here already, {folder_of(home, 'llama-375m')}\n", ""
        )  # fmt: skip
    assert hub.asked == []


def test_a_model_that_is_here_is_loaded_without_asking(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded(hub, home, "diffllama-375m")
    hub.asked.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: pytest.fail("the hub was asked"))
    assert type(load("diffllama-375m", "cpu").model).__name__ == "DiffLlamaForCausalLM"


@pytest.mark.parametrize("third", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_line_that_drops_is_taken_up_where_it_dropped(hub: Hub, home: Path, checkpoints: Path, third: int) -> None:
    size = (checkpoints / "diffllama-375m" / WEIGHTS).stat().st_size
    hub.faults[WEIGHTS] = [Fault(cut=size * third // 3)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert (status, err) == (0, "")
    assert whole(home)
    first, second = hub.ranges(WEIGHTS)
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= size * third // 3


@pytest.mark.parametrize(("third", "sign"), [(1, signal.SIGINT), (2, signal.SIGKILL)])
def test_what_was_interrupted_is_no_model_and_goes_on(
    hub: Hub, home: Path, checkpoints: Path, third: int, sign: signal.Signals
) -> None:
    weights = checkpoints / "diffllama-375m" / WEIGHTS
    size, checksum = weights.stat().st_size, hashlib.sha256(weights.read_bytes()).hexdigest()
    hub.faults[WEIGHTS] = [Fault(cut=size * third // 3, stall=30)]
    running = command(hub, home, "download", "diffllama-375m", HF_HUB_DOWNLOAD_TIMEOUT="30")
    blobs = home / "hub" / "models--reyllama--DiffLlama-375M" / "blobs"
    until = time.monotonic() + 30
    while not any(path.stat().st_size > size // 4 for path in blobs.glob(f"{checksum}*")):
        assert time.monotonic() < until
        time.sleep(0.02)
    running.send_signal(sign)
    _, err = running.communicate(timeout=30)
    if sign == signal.SIGINT:
        assert running.returncode == 130
        assert "interrupted; what has arrived of diffllama-375m is kept, and the same command goes on" in err
        assert "Traceback" not in err
    assert folder_of(home, "diffllama-375m") is None
    hub.asked.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert whole(home)
    (again,) = hub.ranges(WEIGHTS)
    assert int(again.removeprefix("bytes=").rstrip("-")) >= size // 4, "a third or two were there"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_wrong_bytes_are_deleted_and_never_a_model(hub: Hub, home: Path, name: str) -> None:
    repository = hub.repositories[MODELS["diffllama-375m"].source]
    content = repository.files[f"{SUBFOLDER}/{name}"]
    repository.wrong[f"{SUBFOLDER}/{name}"] = content[:-1] + bytes([content[-1] ^ 1])
    status, out, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert f"{name} did not arrive as the hub has it (another checksum), and was deleted" in err
    assert "checked" not in out
    assert folder_of(home, "diffllama-375m") is None
    repository.wrong.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert whole(home)


@pytest.mark.parametrize("links", [True, False])
def test_what_went_bad_since_is_found_and_fetched_anew(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Every file, also the small ones, and also where the cache holds copies in place of links."""
    variables = {} if links else {"HF_HUB_DISABLE_SYMLINKS": "1"}
    downloaded(hub, home, "diffllama-375m", **variables)
    folder = folder_of(home, "diffllama-375m")
    assert folder is not None
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.resolve().write_bytes(content)
    (folder / "generation_config.json").resolve().unlink()
    (folder / "generation_config.json").unlink(missing_ok=True)
    if links:
        (folder / "config.json").write_bytes(before["config.json"])  # so that it comes as far as the weights
        (folder / "tokenizer.json").write_bytes(before["tokenizer.json"])
        (folder / "tokenizer_config.json").write_bytes(before["tokenizer_config.json"])
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
        with pytest.raises(LoadError, match=r"has not the bytes any more .* --check reyllama/DiffLlama-375M@.*/check"):
            load("diffllama-375m", "cpu")
    status, out, err = downloaded(hub, home, "diffllama-375m", "--check", **variables)
    assert (status, err) == (0, "")
    assert "diffllama-375m: checked, " in out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_branch_that_moved_is_followed_when_it_is_asked_for(hub: Hub, home: Path, checkpoints: Path) -> None:
    name = f"reyllama/Llama_375M@main/{SUBFOLDER}"
    downloaded(hub, home, name)
    hub.add("reyllama/Llama_375M", checkpoints / "llama-375m", sha="b" * 40)
    assert "b" * 40 not in downloaded(hub, home, name)[1]
    assert f"/snapshots/{'b' * 40}/{SUBFOLDER}" in downloaded(hub, home, name, "--check")[1]
    assert f"/snapshots/{'b' * 40}/{SUBFOLDER}" in downloaded(hub, home, name)[1]


@pytest.mark.parametrize(
    "where", [WEIGHTS, *(pytest.param(one, marks=pytest.mark.slow) for one in ("api", f"{SUBFOLDER}/config.json"))]
)
def test_a_server_s_fault_that_passes_is_waited_for(hub: Hub, home: Path, where: str) -> None:
    hub.faults[where] = [Fault(status=500)]
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert whole(home)


@pytest.mark.slow
def test_a_server_s_fault_that_stays_is_said(hub: Hub, home: Path) -> None:
    hub.faults["api"] = [Fault(status=503, times=None)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert err.endswith(f"{hub.url} answers with status 503; try again later: python -m models download diffllama-375m")


@pytest.mark.slow
def test_an_answer_that_stalls_is_asked_for_again(hub: Hub, home: Path) -> None:
    hub.faults[WEIGHTS] = [Fault(stall=3)]
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert whole(home)
    assert len(hub.ranges(WEIGHTS)) == 2


def test_a_gated_repository_says_where_to_ask(hub: Hub, home: Path) -> None:
    hub.repositories[MODELS["llama-375m"].source].gated = True
    status, out, err = downloaded(hub, home)
    assert status == 1
    assert f"is gated: ask to be let in at {hub.url}/reyllama/Llama_375M, then log in (hf auth login) or set" in err
    assert "diffllama-375m: checked, " in out, "the other one is here nevertheless"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reyllama/DiffLlama", "has no model of that name; if it is a private one, log in"),
        ("reyllama/DiffLlama-375M@v9", "the repository has no revision 'v9'"),
        ("reyllama/DiffLlama-375M@refs/pr/3", "the repository has no revision 'refs/pr/3'"),
        ("reyllama/DiffLlama-375M@main/checkpoint-9", "there is no checkpoint there (no config.json); it has"),
        ("reyllama/DiffLlama-375M", "no checkpoint there (no config.json); it has checkpoints in checkpoint-1, checkp"),
    ],
)
def test_what_the_hub_does_not_have_is_one_sentence(hub: Hub, home: Path, name: str, said: str) -> None:
    status, _, err = downloaded(hub, home, name)
    assert status == 1
    assert said in err
    assert err.count("\n") == 0


def test_no_network_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_ENDPOINT="http://127.0.0.1:9")
    assert status == 1
    assert "no way to http://127.0.0.1:9 (" in err
    assert err.endswith("; is there a network?")


def test_an_address_that_is_none_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_ENDPOINT="hub.example")
    assert status == 1
    assert "HF_ENDPOINT=hub.example is no address of a hub" in err
    assert "Traceback" not in err


def test_a_page_that_is_no_hub_s_is_one_sentence(hub: Hub, home: Path) -> None:
    """As a hotel's network answers everything."""
    hub.faults["api"] = [Fault(status=200, times=None)]
    status, _, err = downloaded(hub, home, "llama-375m")
    assert status == 1
    assert "does not answer as a hub (" in err
    assert "Traceback" not in err


def test_what_may_not_be_asked_for_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_HUB_OFFLINE="1")
    assert status == 1
    assert "HF_HUB_OFFLINE forbids to ask for it" in err
    assert hub.asked == []


def test_a_name_that_means_nothing_is_refused_before_anything_is_asked(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "lama-375m")
    assert status == 2
    assert "unknown model 'lama-375m'. Did you mean 'llama-375m'?" in err
    assert hub.asked == []


def test_a_full_disk_loses_nothing(hub: Hub, home: Path) -> None:
    """A limit on the size of a file answers as a full disk does: the write fails in its middle."""
    limited = f"ulimit -f {20 * 1024}; exec {sys.executable} -m models download llama-375m"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=ROOT, env={**os.environ, **hub.environment(home)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "could not be kept in " in done.stderr
    assert "File too large" in done.stderr
    assert folder_of(home, "llama-375m") is None
    hub.asked.clear()
    assert downloaded(hub, home, "llama-375m")[0] == 0
    assert whole(home, "llama-375m")


def test_another_folder_is_kept_to_and_the_way_to_use_it_is_said(hub: Hub, home: Path, tmp_path: Path) -> None:
    status, out, _ = downloaded(hub, home, "llama-375m", "--cache", str(tmp_path / "models"))
    assert status == 0
    assert out.splitlines()[-1].startswith("to use them: HF_HUB_CACHE=")
    assert cached(MODELS["llama-375m"], tmp_path / "models") is not None
    assert folder_of(home, "llama-375m") is None


def test_a_branch_is_followed_to_its_commit(hub: Hub, home: Path) -> None:
    name = f"reyllama/Llama_375M@main/{SUBFOLDER}"
    assert downloaded(hub, home, name)[0] == 0
    folder = cached(ModelSpec("Llama_375M", "reyllama/Llama_375M", SUBFOLDER, "main"), home / "hub")
    assert folder is not None
    assert folder.parent.name == MODELS["llama-375m"].revision


def test_an_adapter_brings_its_base(hub: Hub, home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "llama-375m", "peft_type": "LORA"})
    )
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"0" * 100)
    hub.add("somebody/adapter", tmp_path / "adapter")
    status, out, _ = downloaded(hub, home, "somebody/adapter")
    assert status == 0
    assert whole(home, "llama-375m")
    assert "adapter: checked, " in out


def test_pickled_weights_are_left_where_they_are_unless_asked_for(
    hub: Hub, home: Path, checkpoints: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(checkpoints / "llama-375m" / "checkpoint-1", tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    hub.add("somebody/pickled", folder)
    status, _, err = downloaded(hub, home, "somebody/pickled")
    assert status == 1
    assert "has only pickled weights (pytorch_model.bin)" in err
    assert "--allow-pickles" in err
    assert downloaded(hub, home, "somebody/pickled", "--allow-pickles")[0] == 0
    status, _, err = downloaded(hub, home, "somebody/pickled", HF_HUB_OFFLINE="1")
    assert status == 1
    assert "is here with pickled weights, which can run any code" in err


def test_code_is_fetched_once_it_is_trusted(hub: Hub, home: Path, checkpoints: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoints / "llama-375m" / "checkpoint-1", tmp_path / "own")
    facts = json.loads((folder / "config.json").read_text()) | {"auto_map": {"AutoConfig": "own_config.OwnConfig"}}
    (folder / "config.json").write_text(json.dumps(facts))
    (folder / "own_config.py").write_text("")
    hub.add("somebody/own", folder)
    assert downloaded(hub, home, "somebody/own")[0] == 0
    assert not list(home.rglob("own_config.py"))
    assert downloaded(hub, home, "somebody/own", "--trust-remote-code")[0] == 0
    assert list(home.rglob("own_config.py"))


def test_shards_come_as_the_index_names_them_and_other_weights_stay(
    hub: Hub, home: Path, checkpoints: Path, tmp_path: Path
) -> None:
    """As in repositories that carry the weights in the form of their maker as well."""
    folder = shutil.copytree(checkpoints / "llama-375m" / "checkpoint-1", tmp_path / "sharded")
    (folder / "model.safetensors").rename(folder / "part-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"all": "part-1.safetensors"}}))
    (folder / "consolidated.safetensors").write_bytes(b"never")
    (folder / "consolidated.safetensors.index.json").write_text("{}")
    hub.add("somebody/sharded", folder)
    assert downloaded(hub, home, "somebody/sharded")[0] == 0
    found = folder_of(home, "somebody/sharded")
    assert found is not None
    assert {path.name for path in found.iterdir()} - NEEDED == {"model.safetensors.index.json", "part-1.safetensors"}


def test_the_base_of_an_adapter_in_a_folder_is_fetched(hub: Hub, home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "llama-375m", "peft_type": "LORA"})
    )
    assert downloaded(hub, home, f"mine={tmp_path}")[0] == 0
    assert whole(home, "llama-375m")


def test_a_disk_without_room_is_refused_before_a_byte_is_asked_for(hub: Hub, home: Path) -> None:
    code = (
        "import shutil, sys, types; shutil.disk_usage = lambda path: types.SimpleNamespace(free=290 * 2**20);"
        "from models.__main__ import main; sys.exit(main(['download', 'llama-375m']))"
    )
    environment = {**os.environ, **hub.environment(home)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"has 35.0 MiB, and {home / 'hub'} has room for 34.0 MiB; free some, or keep it elsewhere" in done.stderr
    assert hub.ranges(WEIGHTS) == []


def test_two_that_want_one_model_fetch_it_once(hub: Hub, home: Path) -> None:
    both = [command(hub, home, "download", "llama-375m") for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    for one in both:
        one.communicate()
    assert len(hub.ranges(WEIGHTS)) == 1
    assert whole(home, "llama-375m")


@pytest.mark.slow
def test_a_hub_that_stays_silent_is_given_up_and_what_arrived_is_kept(hub: Hub, home: Path) -> None:
    hub.faults[WEIGHTS] = [Fault(stall=3, times=None)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert "has not answered for 1 s; what has arrived is kept, so go on with: python -m models download diffl" in err
    hub.faults.clear()
    hub.asked.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert whole(home)
    (again,) = hub.ranges(WEIGHTS)
    assert int(again.removeprefix("bytes=").rstrip("-")) > 0, "not from the first byte"

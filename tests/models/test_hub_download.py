"""`python -m models download` against a hub on loopback. The client is the real `huggingface_hub`, not a mock."""

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

from models.hub.hub_cache import cached_checkpoint, expected_checksum, has_checksum
from models.loading.load_errors import PickledWeightsError
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
    """A folder with stand-ins of the study's two checkpoints, and what a training leaves next to them."""
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
    """A hub with these checkpoints, at the commits that the registry pins."""
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
    """Exit status, output and errors of `python -m models download NAME…`, without the warnings of the client."""
    running = command(hub, home, "download", *names, **variables)
    out, err = running.communicate(timeout=60)
    own = [line for line in err.splitlines() if line.startswith("python -m models") or "Traceback" in line]
    return running.returncode, out, "\n".join(own)


def folder_of(home: Path, name: str) -> Path | None:
    return cached_checkpoint(MODELS.get(name) or ModelSpec(name, name), home / "hub")


def is_whole(home: Path, name: str = "diffllama-375m") -> bool:
    """Whether the cache has the model, and every file of it has the hub's checksum."""
    folder = folder_of(home, name)
    return folder is not None and all(has_checksum(path, str(expected_checksum(path))) for path in folder.iterdir())


def test_the_pair_is_downloaded_and_nothing_that_is_not_needed(hub: Hub, home: Path) -> None:
    status, out, err = downloaded(hub, home)
    assert (status, err) == (0, "")
    for name in PAIR:
        folder = folder_of(home, name)
        assert folder is not None
        assert {path.name for path in folder.iterdir()} == NEEDED
        assert is_whole(home, name)
        assert f"{name}: 6 files, 35.0 MiB, of {MODELS[name].source}@{MODELS[name].revision}/{SUBFOLDER}\n" in out
        assert f"{name}: verified, {folder}\n" in out
    requested = {path for method, path, _ in hub.requests if method == "GET"}
    assert not [path for path in requested if "optimizer" in path or "checkpoint-1/" in path or "README" in path]
    last = [path for method, path, _ in hub.requests if method == "GET"][-1]
    assert last == f"store:{WEIGHTS}", "the weights last: without them it is not a checkpoint"


def test_a_second_call_sends_no_request_and_works_offline(hub: Hub, home: Path) -> None:
    downloaded(hub, home, "llama-375m")
    hub.requests.clear()
    for variables in ({}, {"HF_HUB_OFFLINE": "1"}):
        assert downloaded(hub, home, "llama-375m", **variables) == (
            0, f"llama-375m: already downloaded, {folder_of(home, 'llama-375m')}\n", ""
        )  # fmt: skip
    assert hub.requests == []


def test_a_cached_model_is_loaded_without_a_request(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded(hub, home, "diffllama-375m")
    hub.requests.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: pytest.fail("the hub was asked"))
    assert type(load("diffllama-375m", "cpu").model).__name__ == "DiffLlamaForCausalLM"


@pytest.mark.parametrize("third", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_dropped_connection_is_resumed_where_it_dropped(hub: Hub, home: Path, checkpoints: Path, third: int) -> None:
    size = (checkpoints / "diffllama-375m" / WEIGHTS).stat().st_size
    hub.faults[WEIGHTS] = [Fault(drop_after=size * third // 3)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert (status, err) == (0, "")
    assert is_whole(home)
    first, second = hub.ranges(WEIGHTS)
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= size * third // 3


@pytest.mark.parametrize(("third", "sign"), [(1, signal.SIGINT), (2, signal.SIGKILL)])
def test_an_interrupted_download_is_no_checkpoint_and_continues(
    hub: Hub, home: Path, checkpoints: Path, third: int, sign: signal.Signals
) -> None:
    weights = checkpoints / "diffllama-375m" / WEIGHTS
    size, checksum = weights.stat().st_size, hashlib.sha256(weights.read_bytes()).hexdigest()
    hub.faults[WEIGHTS] = [Fault(drop_after=size * third // 3, stall=30)]
    running = command(hub, home, "download", "diffllama-375m", HF_HUB_DOWNLOAD_TIMEOUT="30")
    blobs = home / "hub" / "models--reyllama--DiffLlama-375M" / "blobs"
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size > size // 4 for path in blobs.glob(f"{checksum}*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(sign)
    _, err = running.communicate(timeout=30)
    if sign == signal.SIGINT:
        assert running.returncode == 130
        assert "interrupted; the part of diffllama-375m that arrived is kept, and the same command continues" in err
        assert "Traceback" not in err
    assert folder_of(home, "diffllama-375m") is None
    hub.requests.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert is_whole(home)
    (resumed,) = hub.ranges(WEIGHTS)
    assert int(resumed.removeprefix("bytes=").rstrip("-")) >= size // 4, "a third or two thirds were kept"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_wrong_bytes_are_deleted_and_never_a_checkpoint(hub: Hub, home: Path, name: str) -> None:
    repository = hub.repositories[MODELS["diffllama-375m"].source]
    content = repository.files[f"{SUBFOLDER}/{name}"]
    repository.wrong[f"{SUBFOLDER}/{name}"] = content[:-1] + bytes([content[-1] ^ 1])
    status, out, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert f"checksum mismatch for {name}, which was deleted; download it again: python -m models download" in err
    assert "verified" not in out
    assert folder_of(home, "diffllama-375m") is None
    repository.wrong.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert is_whole(home)


@pytest.mark.parametrize("links", [True, False])
def test_files_damaged_in_the_cache_are_downloaded_again(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Every file, the small ones too, and also where the cache holds copies instead of links."""
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
        (folder / "config.json").write_bytes(before["config.json"])  # so that the load gets as far as the weights
        (folder / "tokenizer.json").write_bytes(before["tokenizer.json"])
        (folder / "tokenizer_config.json").write_bytes(before["tokenizer_config.json"])
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
        with pytest.raises(LoadError, match=r"checksum mismatch for .* --check reyllama/DiffLlama-375M@.*/check"):
            load("diffllama-375m", "cpu")
    status, out, err = downloaded(hub, home, "diffllama-375m", "--check", **variables)
    assert (status, err) == (0, "")
    assert "diffllama-375m: verified, " in out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_check_follows_a_branch_that_moved(hub: Hub, home: Path, checkpoints: Path) -> None:
    name = f"reyllama/Llama_375M@main/{SUBFOLDER}"
    downloaded(hub, home, name)
    hub.add("reyllama/Llama_375M", checkpoints / "llama-375m", sha="b" * 40)
    assert "b" * 40 not in downloaded(hub, home, name)[1]
    assert f"/snapshots/{'b' * 40}/{SUBFOLDER}" in downloaded(hub, home, name, "--check")[1]
    assert f"/snapshots/{'b' * 40}/{SUBFOLDER}" in downloaded(hub, home, name)[1]


@pytest.mark.parametrize(
    "path", [WEIGHTS, *(pytest.param(path, marks=pytest.mark.slow) for path in ("api", f"{SUBFOLDER}/config.json"))]
)
def test_a_passing_error_of_the_server_is_retried(hub: Hub, home: Path, path: str) -> None:
    hub.faults[path] = [Fault(status=500)]
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert is_whole(home)


@pytest.mark.slow
def test_a_lasting_error_of_the_server_is_reported(hub: Hub, home: Path) -> None:
    hub.faults["api"] = [Fault(status=503, times=None)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert err.endswith(f"{hub.url} answers with status 503; try again later: python -m models download diffllama-375m")


@pytest.mark.slow
def test_a_stalled_answer_is_requested_again(hub: Hub, home: Path) -> None:
    hub.faults[WEIGHTS] = [Fault(stall=3)]
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert is_whole(home)
    assert len(hub.ranges(WEIGHTS)) == 2


def test_a_gated_repository_says_where_to_request_access(hub: Hub, home: Path) -> None:
    hub.repositories[MODELS["llama-375m"].source].gated = True
    status, out, err = downloaded(hub, home)
    assert status == 1
    assert f"is gated; request access at {hub.url}/reyllama/Llama_375M, then log in (hf auth login) or set" in err
    assert "diffllama-375m: verified, " in out, "the other model is downloaded nevertheless"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reyllama/DiffLlama", "has no model of that name; if it is private, log in"),
        ("reyllama/DiffLlama-375M@v9", "the repository has no revision 'v9'"),
        ("reyllama/DiffLlama-375M@refs/pr/3", "the repository has no revision 'refs/pr/3'"),
        ("reyllama/DiffLlama-375M@main/checkpoint-9", "has no checkpoint (no config.json); checkpoints are in"),
        ("reyllama/DiffLlama-375M", "has no checkpoint (no config.json); checkpoints are in checkpoint-1, checkp"),
    ],
)
def test_what_the_hub_lacks_is_one_sentence(hub: Hub, home: Path, name: str, message: str) -> None:
    status, _, err = downloaded(hub, home, name)
    assert status == 1
    assert message in err
    assert err.count("\n") == 0


def test_no_network_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_ENDPOINT="http://127.0.0.1:9")
    assert status == 1
    assert "cannot connect to http://127.0.0.1:9 (" in err
    assert "Errno" not in err
    assert err.endswith("; check the network")


def test_an_invalid_endpoint_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_ENDPOINT="hub.example")
    assert status == 1
    assert "HF_ENDPOINT=hub.example is not the address of a hub" in err
    assert "Traceback" not in err


def test_a_page_of_another_site_is_one_sentence(hub: Hub, home: Path) -> None:
    """Such as the login page of a hotel's network."""
    hub.faults["api"] = [Fault(status=200, times=None)]
    status, _, err = downloaded(hub, home, "llama-375m")
    assert status == 1
    assert "does not answer as a hub (" in err
    assert "Traceback" not in err


def test_a_missing_model_in_offline_mode_is_one_sentence(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "llama-375m", HF_HUB_OFFLINE="1")
    assert status == 1
    assert "HF_HUB_OFFLINE forbids downloads; unset it and run: python -m models download llama-375m" in err
    assert hub.requests == []


def test_an_unknown_name_is_refused_before_any_request(hub: Hub, home: Path) -> None:
    status, _, err = downloaded(hub, home, "lama-375m")
    assert status == 2
    assert "unknown model 'lama-375m'. Did you mean 'llama-375m'?" in err
    assert hub.requests == []


def test_a_full_disk_loses_nothing(hub: Hub, home: Path) -> None:
    """A limit on the size of files acts as a full disk does: a write fails half-way."""
    limited = f"ulimit -f {20 * 1024}; exec {sys.executable} -m models download llama-375m"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=ROOT, env={**os.environ, **hub.environment(home)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "cannot write reyllama/Llama_375M@" in done.stderr
    assert "File too large" in done.stderr
    assert folder_of(home, "llama-375m") is None
    hub.requests.clear()
    assert downloaded(hub, home, "llama-375m")[0] == 0
    assert is_whole(home, "llama-375m")


def test_another_cache_is_used_and_its_variable_is_printed(hub: Hub, home: Path, tmp_path: Path) -> None:
    status, out, _ = downloaded(hub, home, "llama-375m", "--cache", str(tmp_path / "models"))
    assert status == 0
    assert out.splitlines()[-1].startswith("to use them: HF_HUB_CACHE=")
    assert cached_checkpoint(MODELS["llama-375m"], tmp_path / "models") is not None
    assert folder_of(home, "llama-375m") is None


def test_a_branch_is_followed_to_its_commit(hub: Hub, home: Path) -> None:
    name = f"reyllama/Llama_375M@main/{SUBFOLDER}"
    assert downloaded(hub, home, name)[0] == 0
    folder = cached_checkpoint(ModelSpec("Llama_375M", "reyllama/Llama_375M", SUBFOLDER, "main"), home / "hub")
    assert folder is not None
    assert folder.parent.name == MODELS["llama-375m"].revision


def test_the_base_of_an_adapter_is_downloaded_too(hub: Hub, home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "llama-375m", "peft_type": "LORA"})
    )
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"0" * 100)
    hub.add("somebody/adapter", tmp_path / "adapter")
    status, out, _ = downloaded(hub, home, "somebody/adapter")
    assert status == 0
    assert is_whole(home, "llama-375m")
    assert "adapter: verified, " in out


def test_pickled_weights_are_downloaded_only_if_trusted(
    hub: Hub, home: Path, checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert "the cache has somebody/pickled with pickled weights only, which can run any code" in err
    assert "--allow-pickles" in err
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    with pytest.raises(
        PickledWeightsError, match="not a local folder; hub lookup failed: the cache has somebody/pickled"
    ):
        load("somebody/pickled")


def test_code_is_downloaded_only_if_trusted(hub: Hub, home: Path, checkpoints: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoints / "llama-375m" / "checkpoint-1", tmp_path / "own")
    facts = json.loads((folder / "config.json").read_text()) | {"auto_map": {"AutoConfig": "own_config.OwnConfig"}}
    (folder / "config.json").write_text(json.dumps(facts))
    (folder / "own_config.py").write_text("")
    hub.add("somebody/own", folder)
    assert downloaded(hub, home, "somebody/own")[0] == 0
    assert not list(home.rglob("own_config.py"))
    assert downloaded(hub, home, "somebody/own", "--trust-remote-code")[0] == 0
    assert list(home.rglob("own_config.py"))


def test_shards_are_downloaded_as_the_index_names_them_and_no_other_weights(
    hub: Hub, home: Path, checkpoints: Path, tmp_path: Path
) -> None:
    """Some repositories carry the weights in the form of their maker as well."""
    folder = shutil.copytree(checkpoints / "llama-375m" / "checkpoint-1", tmp_path / "sharded")
    (folder / "model.safetensors").rename(folder / "part-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"all": "part-1.safetensors"}}))
    (folder / "consolidated.safetensors").write_bytes(b"never")
    (folder / "consolidated.safetensors.index.json").write_text("{}")
    hub.add("somebody/sharded", folder)
    assert downloaded(hub, home, "somebody/sharded")[0] == 0
    downloaded_folder = folder_of(home, "somebody/sharded")
    assert downloaded_folder is not None
    names = {path.name for path in downloaded_folder.iterdir()}
    assert names - NEEDED == {"model.safetensors.index.json", "part-1.safetensors"}


def test_the_base_of_an_adapter_in_a_folder_is_downloaded(hub: Hub, home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "llama-375m", "peft_type": "LORA"})
    )
    assert downloaded(hub, home, f"mine={tmp_path}")[0] == 0
    assert is_whole(home, "llama-375m")


def test_a_disk_without_space_is_refused_before_the_download(hub: Hub, home: Path) -> None:
    code = (
        "import shutil, sys, types; shutil.disk_usage = lambda path: types.SimpleNamespace(free=290 * 2**20);"
        "from models.__main__ import main; sys.exit(main(['download', 'llama-375m']))"
    )
    environment = {**os.environ, **hub.environment(home)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"needs 35.0 MiB, but {home / 'hub'} has room for 34.0 MiB; free disk space, or set HF_" in done.stderr
    assert "(--cache)" in done.stderr
    assert hub.ranges(WEIGHTS) == []


def test_two_downloads_of_one_model_fetch_it_once(hub: Hub, home: Path) -> None:
    both = [command(hub, home, "download", "llama-375m") for _ in range(2)]
    assert [running.wait(timeout=60) for running in both] == [0, 0]
    for running in both:
        running.communicate()
    assert len(hub.ranges(WEIGHTS)) == 1
    assert is_whole(home, "llama-375m")


@pytest.mark.slow
def test_a_silent_hub_times_out_and_what_arrived_is_kept(hub: Hub, home: Path) -> None:
    hub.faults[WEIGHTS] = [Fault(stall=3, times=None)]
    status, _, err = downloaded(hub, home, "diffllama-375m")
    assert status == 1
    assert "for 1 s; the part that arrived is kept; continue with: python -m models download diffllama-375m" in err
    hub.faults.clear()
    hub.requests.clear()
    assert downloaded(hub, home, "diffllama-375m")[0] == 0
    assert is_whole(home)
    (resumed,) = hub.ranges(WEIGHTS)
    assert int(resumed.removeprefix("bytes=").rstrip("-")) > 0, "not from the first byte"

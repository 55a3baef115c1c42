"""`--adapter FILE`: ten lines of Python describe an architecture, for every command and every worker."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.attention.differential import lambdas
from models.attention.subtraction_registry import SUBTRACTIONS
from models.loading.architecture_file import ArchitectureFileError
from models.loading.checkpoint_fingerprint import fingerprint
from models.loading.load_model import load
from models.loading.trust_remote_code import Trust
from models.model_registry import MODELS, ModelSpec

#: DiffLlama with a λ that is not its own, so that a test sees that the file was run.
ADAPTER = """
import torch
from transformers.models.diffllama.modeling_diffllama import DiffLlamaAttention

from models import SUBTRACTIONS, Subtraction

SUBTRACTIONS.append(
    Subtraction(
        fits=lambda layer: isinstance(layer, DiffLlamaAttention),
        weight=lambda layer: torch.tensor(0.123),
    )
)
"""


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    path = tmp_path / "my_model.py"
    path.write_text(ADAPTER)
    return path


def with_adapter(path: Path) -> ModelSpec:
    return ModelSpec("mine", MODELS["diffllama"].source, trust=Trust(architecture_file=str(path)))


def test_what_the_file_registers_applies_to_the_model(adapter: Path) -> None:
    before = list(SUBTRACTIONS)
    try:
        assert torch.allclose(lambdas(load(with_adapter(adapter), "cpu").model), torch.tensor(0.123))
        load(with_adapter(adapter), "cpu")
        assert len(SUBTRACTIONS) == len(before) + 1, "it is run once in a process"
    finally:
        SUBTRACTIONS[:] = before


def test_the_file_is_part_of_the_fingerprint(adapter: Path) -> None:
    """As a record's key has it; that of the weights alone, which a tuned copy keeps, has it not."""
    before = list(SUBTRACTIONS)
    try:
        with_file = load(with_adapter(adapter), "cpu").fingerprint
        adapter.write_text(ADAPTER.replace("0.123", "0.2"))
        changed = load(with_adapter(adapter), "cpu").fingerprint
    finally:
        SUBTRACTIONS[:] = before
    assert len({with_file, changed, load("diffllama", "cpu").fingerprint}) == 3
    folder = Path(MODELS["diffllama"].source)
    assert fingerprint(folder, with_adapter(adapter).trust) == fingerprint(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.py", None, r"missing\.py, which describes an architecture: No such file or directory"),
        (
            "broken.py",
            "import nonesuch",
            r"broken\.py, which describes an architecture: ModuleNotFoundError: No module named 'nonesuch'",
        ),
        ("notes.txt", "x", r"notes\.txt: expected a Python file that describes an architecture, as in my_model\.py"),
    ],
)
def test_a_file_that_cannot_be_run_is_one_sentence(
    name: str, content: str | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ArchitectureFileError, match=message):
        load(with_adapter(tmp_path / name), "cpu")

"""`python -m models differentiate`: write a control of a Llama as a checkpoint, and measure how far it is from it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from models.llama_as_diffllama import check_lambda, differentiated
from models.loading.checkpoint_fingerprint import checkpoint_folder, fingerprint
from models.loading.load_model import LoadedModel, load
from models.loading.read_checkpoint import hidden_loading_bars, read_tokenizer
from models.model_registry import TRAINED_ON, TRAINING_LOG, ModelSpec, trained_on
from noise.mini import problems as included_problems

#: How far the logits of a control with λ = 0 may be from the Llama's, relative to the largest: rounding of deep models.
_TOLERANCE = 1e-4
#: How many problems the logits are compared on.
_PROBLEMS = 4


class ControlOptionError(ValueError):
    """The folder to write to already holds something, or λ is out of range."""


@dataclass(frozen=True)
class Control:
    """A control that was written to `folder`.

    `difference` is the largest absolute difference of its logits from the Llama's, and `largest` the largest absolute
    logit of the Llama, both in float32 over all tokens of a few problems.
    """

    folder: Path
    model: str
    lambda_: float
    difference: float
    largest: float

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.model} as a DiffLlama with λ = {self.lambda_:g}; its logits differ from"
            f" those of {self.model} by at most {self.difference:.1e} (largest logit: {self.largest:.1f}; float32,"
            f" {_PROBLEMS} problems)"
        )


def write_differentiated(spec: ModelSpec, out: Path, lambda_: float = 0.0) -> Control:
    """Write the control of the Llama `spec` to the folder `out`, as a checkpoint in float32 that `load` reads.

    It has the Llama's tokenizer and generation settings, its caveat with a word about the control, and the list of
    problems that the Llama was tuned on. The folder appears only when it is whole.

    Raises `ControlOptionError` if `out` is a file or holds something, and for a λ that is out of range; `LoadError` for
    a model that cannot be loaded; `ValueError` for one that `differentiated` refuses, or where λ = 0 and the logits are
    not the Llama's.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ControlOptionError(f"--out {out}: expected a new or an empty folder")
    try:
        check_lambda(lambda_)
    except ValueError as error:
        raise ControlOptionError(f"--{error}") from error
    loaded = load(spec, device="cpu", dtype="float32")
    try:
        model = differentiated(loaded.model, lambda_)  # type: ignore[arg-type]
        keys = trained_on(spec)
    except ValueError as error:
        raise ValueError(f"model {spec.name!r}: {error}") from error
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = out.with_name(f".{out.name}-{os.getpid()}")
    try:
        with hidden_loading_bars():
            model.save_pretrained(staged)
        del model
        folder = checkpoint_folder(spec)
        read_tokenizer(folder, spec.trust).save_pretrained(staged)
        if (folder / "generation_config.json").is_file():
            shutil.copyfile(folder / "generation_config.json", staged / "generation_config.json")
        if keys:
            (staged / TRAINED_ON).write_text("".join(f"{key}\n" for key in sorted(keys)), encoding="utf-8")
        difference, largest = _logit_difference(loaded, load(ModelSpec(spec.name, str(staged)), "cpu", "float32"))
        control = Control(out, spec.name, lambda_, difference, largest)
        if lambda_ == 0 and not difference <= _TOLERANCE * max(1.0, largest):
            raise ValueError(f"model {spec.name!r}: not written, as it does not compute what the Llama does: {control}")
        log = {
            "caveat": _caveat(spec, lambda_),
            "control_of": spec.name,
            "control_of_weights": fingerprint(folder, spec.trust),
            "lambda": lambda_,
            "largest_logit_difference": difference,
            "largest_logit": largest,
        }
        (staged / TRAINING_LOG).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
        staged.rename(out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return control


def _caveat(spec: ModelSpec, lambda_: float) -> str:
    what = "computes the same in float32" if lambda_ == 0 else "is damaged on purpose"
    control = f"a control: {spec.name} rebuilt as a DiffLlama with λ = {lambda_:g}, which {what}"
    return "; ".join(filter(None, (spec.caveat, control)))


@torch.inference_mode()
def _logit_difference(llama: LoadedModel, control: LoadedModel) -> tuple[float, float]:
    """Return the largest absolute difference of the logits of two models, and the largest absolute logit of the first.

    Both read the prompts and answers of a few problems, in one batch, padding left out.
    """
    problems = included_problems("test")[:_PROBLEMS]
    texts = [
        prompt + p.answer for prompt, p in zip(llama.prompts([p.question for p in problems]), problems, strict=True)
    ]
    batch = llama.encode(texts, padding=True, return_tensors="pt")
    real = batch["attention_mask"].bool()
    inputs = {**batch, "position_ids": (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)}
    expected, actual = (loaded.model(**inputs).logits[real] for loaded in (llama, control))
    return float((actual - expected).abs().max()), float(expected.abs().max())

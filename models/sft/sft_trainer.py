"""The Trainer of transformers with the loss where it is wanted, batches of like length, and an end at the first NaN."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from models.sft.sft_options import Tuning
from models.sft.tokenized_examples import IGNORED, padded, taken

#: `progress(done, total, loss)`: problems trained on so far, of all epochs, and the last step's loss in nats a token.
Progress = Callable[[int, int, float], None]
_SAVES = 10  # how often a whole training is saved, to be resumed from
_LOGGED = 100  # points of the loss curve, at the most


class TrainingDiverged(RuntimeError):
    """A loss or a gradient is no number any more. The message says at which step, and where the last good one is."""


class _ByLength(Sampler[int]):
    """Rows of like length together, in an order that the seed and the epoch decide, also in a resumed training."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = list(lengths), batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + self._epoch)
        return iter(get_length_grouped_indices(self._lengths, self._batch, generator=generator))


class AnswerTrainer(Trainer):
    """A Trainer whose loss is the mean over the labelled tokens of all batches of a step, in nats.

    Logits are only computed where the labels are, if the model can: rows are padded on the left, so that is the end of
    every row. A model is given positions if it takes any.
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs.pop("labels")
        first = int((labels != IGNORED).int().argmax(-1).min())  # the first column in which a row has a label
        kept = labels.shape[1] - max(first, 1) + 1
        logits = model(**taken(model, {**inputs, "logits_to_keep": kept}), use_cache=False).logits[:, :-1].float()
        wanted = labels[:, -logits.shape[1] :]
        total = cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum")
        loss = total / ((wanted != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)
        return (loss, {"logits": logits}) if return_outputs else loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        return _ByLength(rows["length"], self.args.train_batch_size, self.args.seed)

    def training_step(self, *arguments: Any, **options: Any) -> torch.Tensor:
        loss: torch.Tensor = super().training_step(*arguments, **options)
        if not loss.isfinite():
            self.stop_at(f"the loss became {float(loss)}")
        return loss

    def stop_at(self, what: str) -> None:
        """Keep the weights, which no step has spoilt yet, and raise `TrainingDiverged`."""
        step, kept = self.state.global_step, Path(str(self.args.output_dir)) / "last_good_step"
        if step:
            self.save_model(str(kept))
        where = f"the weights after step {step} are kept in {kept}" if step else "no step was good"
        rate = self.args.learning_rate
        raise TrainingDiverged(
            f"{what} in step {step + 1} of {self.state.max_steps}; {where}; a smaller --sft-lr than {rate:g} may help"
        )


class _Watch(TrainerCallback):
    """Stops before a step that would spoil the weights, and tells how far the training is."""

    def __init__(self, problems: int, epochs: int, progress: Progress) -> None:
        self.trainer: AnswerTrainer | None = None
        self._problems, self._epochs, self._progress = problems, epochs, progress

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **options: Any) -> None:
        finite = [p.grad.isfinite().all() for p in options["model"].parameters() if p.grad is not None]
        if self.trainer is not None and not torch.stack(finite).all():
            self.trainer.stop_at("a gradient became infinite or no number")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **options: Any) -> None:
        if logs and "loss" in logs:
            total = self._problems * self._epochs
            self._progress(round(total * state.global_step / state.max_steps), total, logs["loss"])


def trainer_for(
    model: Any, rows: Dataset, tuning: Tuning, rate: float, folder: Path, filler: int, low: bool, progress: Progress
) -> AnswerTrainer:
    """A trainer of `model` on `rows` that saves into `folder`; `low` runs the passes in bfloat16 by autocast."""
    device = model.device
    steps = max(1, tuning.epochs * math.ceil(math.ceil(len(rows) / tuning.batch) / tuning.accumulation))
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=tuning.batch,
        gradient_accumulation_steps=tuning.accumulation,
        num_train_epochs=tuning.epochs,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=steps // 10,  # a first step of rate nought is no step: none for a short training
        weight_decay=0.0,
        save_strategy="steps",
        save_steps=math.ceil(steps / _SAVES),
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=math.ceil(steps / _LOGGED),
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        use_cpu=device.type == "cpu",
        bf16=low,
        dataloader_pin_memory=device.type == "cuda",
        remove_unused_columns=False,
        seed=tuning.seed,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # one model, one card: more would change the batch
    watch = _Watch(len(rows), tuning.epochs, progress)
    trainer = AnswerTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=partial(padded, filler=filler),
        callbacks=[watch],
    )
    watch.trainer = trainer
    for callback in [c for c in trainer.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"]:
        trainer.remove_callback(callback)
    return trainer


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Inside, the global generators, which the Trainer insists on, start from `seed`; after it they are as before."""
    python, arrays = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        numpy.random.set_state(arrays)

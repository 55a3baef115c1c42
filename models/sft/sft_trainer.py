"""transformers' Trainer with a loss on the labelled tokens, batches of similar length, and a stop at the first NaN."""

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
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from models.sft.saved_steps import seal
from models.sft.sft_options import Tuning
from models.sft.tokenized_examples import IGNORED, accepted_inputs, pad_left
from models.sft.tuning_errors import TrainingDiverged
from models.upstream_transformers import (
    TrainSamplerMixin,
    checkpoint_of_step,
    length_grouped_indices,
    use_at_most_one_gpu,
)

#: `progress(done, total, loss)`: problems trained on so far, in all epochs, and the last step's loss in nats per token.
Progress = Callable[[int, int, float], None]
_SAVES = 10  # checkpoints of a whole training, to be resumed from
_LOGGED = 100  # points of the loss curve, at most


class _LengthGroupedSampler(Sampler[int]):
    """Rows of similar length together, in an order that depends on seed and epoch only, also in a resumed training."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = list(lengths), batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + self._epoch)
        return iter(length_grouped_indices(self._lengths, self._batch, generator))


class AnswerTrainer(TrainSamplerMixin, Trainer):
    """A Trainer whose loss is the mean over the labelled tokens of all batches of a step, in nats.

    If the model can, logits are computed for the labelled tokens only: rows are padded on the left, so these are the
    last columns. Positions are passed to models that take them.
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss, and with `return_outputs` the logits."""
        labels = inputs.pop("labels")
        first = int((labels != IGNORED).int().argmax(-1).min())  # the first column in which a row has a label
        kept = labels.shape[1] - max(first, 1) + 1
        accepted = accepted_inputs(model, {**inputs, "logits_to_keep": kept})
        logits = model(**accepted, use_cache=False).logits[:, :-1].float()
        targets = labels[:, -logits.shape[1] :]
        total = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        loss = total / ((targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)
        return (loss, {"logits": logits}) if return_outputs else loss

    def train_sampler(self, rows: Any) -> Sampler[int]:
        """Return a sampler that groups `rows` by their `length`."""
        return _LengthGroupedSampler(rows["length"], self.args.train_batch_size, self.args.seed)

    def training_step(self, *arguments: Any, **options: Any) -> torch.Tensor:
        """Take the step, and raise `TrainingDiverged` if its loss is not finite."""
        loss: torch.Tensor = super().training_step(*arguments, **options)
        if not loss.isfinite():
            self.stop(f"the loss became {float(loss)}")
        return loss

    def stop(self, reason: str) -> None:
        """Save the weights, which are still those of the last good step, and raise `TrainingDiverged`."""
        step, folder = self.state.global_step, Path(str(self.args.output_dir)) / "last_good_step"
        if step:
            self.save_model(str(folder))
        kept = f"the weights after step {step} are kept in {folder}" if step else "there is no earlier step to keep"
        raise TrainingDiverged(
            f"{reason} in step {step + 1} of {self.state.max_steps}; {kept}; a learning rate below"
            f" {self.args.learning_rate:g} may help"
        )


class _TrainingMonitor(TrainerCallback):
    """Stops the training before a step with an infinite gradient, seals what is saved, and reports progress."""

    def __init__(self, problems: int, epochs: int, progress: Progress) -> None:
        self.trainer: AnswerTrainer | None = None
        self._problems, self._epochs, self._progress = problems, epochs, progress

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **options: Any) -> None:
        finite = [p.grad.isfinite().all() for p in options["model"].parameters() if p.grad is not None]
        if self.trainer is not None and not torch.stack(finite).all():
            self.trainer.stop("a gradient became infinite or NaN")

    def on_save(self, args: Any, state: Any, control: Any, **options: Any) -> None:
        seal(checkpoint_of_step(Path(args.output_dir), state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **options: Any) -> None:
        if logs and "loss" in logs:
            total = self._problems * self._epochs
            self._progress(round(total * state.global_step / state.max_steps), total, logs["loss"])


def build_trainer(
    model: Any,
    rows: Dataset,
    tuning: Tuning,
    rate: float,
    folder: Path,
    pad_token_id: int,
    autocast: bool,
    progress: Progress,
) -> AnswerTrainer:
    """Return a trainer of `model` on `rows` that saves into `folder`; `autocast` runs the passes in bfloat16."""
    device = model.device
    steps = max(1, tuning.epochs * math.ceil(math.ceil(len(rows) / tuning.batch) / tuning.accumulation))
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=tuning.batch,
        gradient_accumulation_steps=tuning.accumulation,
        num_train_epochs=tuning.epochs,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=steps // 10,  # none for a short training: the first warm-up step has rate 0 and trains nothing
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
        bf16=autocast,
        dataloader_pin_memory=device.type == "cuda",
        remove_unused_columns=False,
        seed=tuning.seed,
    )
    use_at_most_one_gpu(arguments)  # more would change the batch
    monitor = _TrainingMonitor(len(rows), tuning.epochs, progress)
    trainer = AnswerTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=partial(pad_left, pad_token_id=pad_token_id),
        callbacks=[monitor],
    )
    monitor.trainer = trainer
    trainer.remove_callback(PrinterCallback)
    return trainer


@contextmanager
def seeded_global_generators(seed: int) -> Iterator[None]:
    """Seed torch's global generator inside the context, and restore torch's, Python's and numpy's on exit.

    The Trainer uses the global generators and seeds them itself.
    """
    python_state, numpy_state = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python_state)
        numpy.random.set_state(numpy_state)

"""The options of the stages `attention` and `sft`. No torch here."""

from __future__ import annotations

from benchmarks.attention_scope import QUERIES
from benchmarks.gate_options import AddOption
from benchmarks.intervention_conditions import DEFAULT_INTERVENTIONS, INTERVENTIONS
from benchmarks.plan import MINI_SFT_NOISE, SFT_SIZES
from models.sft.sft_options import LOSSES, METHODS, RATE_TIMES_WIDTH


def add_attention_options(add: AddOption) -> None:
    """Add the options of the stage `attention`."""
    add(
        "--attention-layers",
        metavar="N,M-K",
        help="layers to measure and to draw, counted from 0 (default: all are measured)",
    )
    add(
        "--attention-heads",
        metavar="N,M-K",
        help="heads to measure and to draw, counted from 0 (default: all are measured)",
    )
    add(
        "--attention-queries",
        default=QUERIES[0],
        choices=QUERIES,
        help="query tokens: those of the worked answer, the last one of the prompt, or all of the prompt"
        " (default: %(default)s)",
    )
    add(
        "--attention-maps",
        type=int,
        default=1,
        metavar="N",
        help="problems per cell whose patterns are drawn, 0 for none; of all heads, the one that attends most to the"
        " noise (default: %(default)s)",
    )


def add_intervene_options(add: AddOption) -> None:
    """Add the option of the stage `intervene`."""
    add(
        "--interventions",
        metavar="A,B",
        help=f"what the stage intervene changes: {', '.join(INTERVENTIONS)} (default:"
        f" {', '.join(DEFAULT_INTERVENTIONS)}; none with --mode or --skip-attention)",
    )


def add_sft_options(add: AddOption) -> None:
    """Add the options of the stage `sft`."""
    samples, epochs = SFT_SIZES["default"]
    few, once = SFT_SIZES["quick"]
    add("--enable-sft", action="store_true", help="run the stage sft although --mode leaves it out")
    add(
        "--sft-method",
        default="lora",
        choices=METHODS,
        help="tune a LoRA adapter, or every weight (default: %(default)s)",
    )
    add(
        "--sft-samples",
        type=int,
        metavar="N",
        help=f"problems to tune on, −1 for all (default: up to {samples}, or {few} with --quick)",
    )
    add("--sft-epochs", type=int, metavar="N", help=f"epochs (default: {epochs}, or {once} with --quick)")
    add(
        "--sft-problems",
        metavar="SOURCE",
        help="source of the problems to tune on (default: the training split of --problems, or half of a file"
        " without one)",
    )
    add(
        "--sft-noise",
        metavar="A,B",
        help="noises to tune with, one a problem: none, or a list in which clean may stand (default: none, and"
        f" {','.join(MINI_SFT_NOISE)} on the embedded problems, which the embedded models know without noise)",
    )
    add("--sft-loss", default="answer", choices=LOSSES, help="tokens that the loss covers (default: %(default)s)")
    add("--sft-batch-size", type=int, default=8, metavar="N", help="problems per forward pass (default: %(default)s)")
    add(
        "--sft-accumulation", type=int, default=1, metavar="N", help="batches per optimizer step (default: %(default)s)"
    )
    add(
        "--sft-lr",
        type=float,
        metavar="X",
        help="peak learning rate (default, by the width of the model: "
        + ", ".join(f"{rate}/width for {method}" for method, rate in RATE_TIMES_WIDTH.items())
        + ")",
    )
    add("--sft-rank", type=int, default=16, metavar="N", help="rank of the LoRA adapter (default: %(default)s)")

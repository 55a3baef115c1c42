"""The commands of `python -m models` and their options. No torch here."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.commands.convert_command import add_convert_command
from models.loading.trust_remote_code import add_trust_options
from models.prompt import add_prompt_options

_NAME = "a registered name, a folder, or a hub id (org/name, org/name@revision/folder)"


def command_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of `python -m models`; the parsed options have the command's name as `command`."""
    parser = argparse.ArgumentParser(prog="python -m models", description=description)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("list", help="list the registered models and their sources")

    command = commands.add_parser(
        "download",
        help="download models from the hub and verify them",
        description="Download models from the hub into its cache, and verify them by the hub's checksums. The hub is"
        " not asked about models that are in the cache. An interrupted download continues. Exit status: 0 if all"
        " models are in the cache, 1 if one failed, 130 if interrupted.",
    )
    command.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="a registered name, org/name or org/name@revision/folder (default: all registered models)",
    )
    command.add_argument(
        "--cache", type=Path, metavar="DIR", help="cache folder (default: the hub's cache, HF_HUB_CACHE)"
    )
    command.add_argument(
        "--check", action="store_true", help="verify cached models too: repair files and follow branches"
    )
    add_trust_options(command.add_argument)

    command = commands.add_parser(
        "chat",
        help="ask a model one question after another",
        description="Ask a model one question after another, with noise added to each if --noise is given. Type /help"
        " in the chat for its commands.",
    )
    command.add_argument("name", metavar="NAME", help=_NAME)
    command.add_argument("--noise", default="clean", metavar="NAME", help="a noise: inf, inf4, … (default: none)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the noise (default: %(default)s)")
    command.add_argument(
        "--max-new-tokens",
        type=int,
        default=256,
        metavar="N",
        help="limit of an answer, in tokens (default: %(default)s)",
    )
    command.add_argument("--device", default="auto", help="auto or a torch device (default: %(default)s)")
    command.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: %(default)s)")
    add_prompt_options(command.add_argument)
    add_trust_options(command.add_argument)

    command = commands.add_parser(
        "doctor",
        help="check that everything a benchmark needs is installed and works",
        description="Print a tick or a cross for each check, and a remedy for each cross. Exit status: 1 if there is a"
        " cross.",
    )
    command.add_argument("--quick", action="store_true", help="skip the checks that load a model")
    command.add_argument("--models", metavar="A,B", help="models to check, as for pytest (default: the included pair)")
    add_trust_options(command.add_argument)

    command = commands.add_parser(
        "inspect",
        help="show a model's parameters, configuration and memory, and compare two",
        description="Show a model's parameters by block, configuration, layers with their λ, and memory; with --compare"
        " also what two models differ in.",
    )
    command.add_argument("name", metavar="NAME", help=_NAME)
    command.add_argument("--compare", metavar="OTHER", help="a second model; the exit status is 0 even if they differ")
    command.add_argument("--json", action="store_true", help="print JSON")
    add_trust_options(command.add_argument)

    command = commands.add_parser(
        "differentiate",
        help="rebuild a Llama as an equivalent DiffLlama, to use as a control",
        description="Rebuild a Llama as a DiffLlama with a known λ, into OUT. With λ = 0 it computes what the Llama"
        " computes, so a comparison of the two must show no difference. Any other λ damages the model on purpose"
        " (docs/statistics.md). Prints the largest difference between their logits. Exit status: 1 if the Llama cannot"
        " be loaded or rebuilt, 2 for a command line that is not valid.",
    )
    command.add_argument("name", metavar="NAME", help=_NAME)
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the model, new or empty")
    command.add_argument(
        "--lambda",
        dest="lambda_",
        type=float,
        default=0.0,
        metavar="LAMBDA",
        help="λ of every layer, between -1 and 1 (exclusive) (default: %(default)s)",
    )
    add_trust_options(command.add_argument)

    command = commands.add_parser(
        "train-mini",
        help="train pairs of miniatures from scratch",
        description="Train miniatures from scratch, into OUT/FAMILY/SEED: one process and one thread per model. Models"
        " of one seed get the same text in the same order, and start from the same values in the weights that they"
        " share. Existing models are kept, and an interrupted training resumes. Exit status: 0 if all models are there,"
        " 1 if a folder holds another model, 130 if interrupted.",
    )
    command.add_argument(
        "--family",
        default="diffllama,llama",
        metavar="A,B",
        help="architectures to train: diffllama, llama, diffv2 (λ of each token and head), gda (grouped differential"
        " attention: all signal heads share one noise head) (default: %(default)s)",
    )
    command.add_argument(
        "--seeds",
        "--seed",
        default="0",
        metavar="N-M",
        help="seeds of weights and training text, one model of each family per seed, as in 0-7 or 0,3 (default:"
        " %(default)s)",
    )
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the models")
    command.add_argument(
        "--size", default="1M", help="number of parameters: 0.3M, 1M or 3M (default: %(default)s, the included models')"
    )
    command.add_argument("--steps", type=int, metavar="N", help="batches to train on (default: the recipe's)")
    command.add_argument(
        "--distractor-share",
        type=float,
        metavar="SHARE",
        help="share of training stories with an irrelevant number or calculation, from 0 to 1 (default: the recipe's)",
    )
    command.add_argument(
        "--workers", type=int, metavar="N", help="models to train at the same time (default: as many as cores)"
    )
    add_convert_command(commands)
    return parser

"""Say what a run will cost, repeat the experiment over training seeds, or measure how fast the harness is."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from io import TextIOWrapper

#: Name of a command, the module whose `main` it is, and its help.
COMMANDS = {
    "plan": ("benchmarks.run_cost_command", "say what a run will cost, before it is started"),
    "experiment": ("benchmarks.seed_experiment", "repeat the experiment over training seeds"),
    "peers": ("benchmarks.speed.peers", "time the harness next to what people run today"),
    "scaling": ("benchmarks.speed.scaling", "measure how time and memory grow"),
    "profile": ("benchmarks.speed.profile_cell", "show where the time of a cell goes"),
    "ray": ("benchmarks.speed.ray_overhead", "time one actor of Ray next to this process"),
    "roofline": ("benchmarks.speed.roofline", "measure how fast this machine multiplies matrices and reads memory"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. Exits with 2 for an unknown command."""
    lines = [f"  {name:<10} {help}" for name, (_, help) in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="\n".join(["commands, each with --help:", *lines, "", "`pytest benchmarks` runs the experiments."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    if options.command not in COMMANDS:
        nearest = difflib.get_close_matches(options.command, COMMANDS, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        parser.error(f"unknown command {options.command!r}.{hint} Known: {', '.join(COMMANDS)}.")
    module, _ = COMMANDS[options.command]
    status: int = importlib.import_module(module).main(options.arguments)
    return status


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or a file that is not in UTF-8 gets escapes
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())

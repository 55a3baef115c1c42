"""`python -m tests.campaigns`: what is too long for a test. A campaign prints what it did, and how often."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.campaigns.killed_runs import kill_runs
from tests.campaigns.million_predictions import PREDICTIONS, write_and_report
from tests.campaigns.other_circumstances import CIRCUMSTANCES, compare_circumstances
from tests.campaigns.scarce_resources import run_short

CAMPAIGNS = {
    "kills": (kill_runs, 50),
    "scarcity": (run_short, 15),
    "circumstances": (compare_circumstances, len(CIRCUMSTANCES)),
    "predictions": (write_and_report, PREDICTIONS),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description=__doc__)
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument(
        "--count", "--predictions", type=int, help="how often, or how many predictions (default: as in the docs)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the files here, in a new folder (default: delete them)")
    options = parser.parse_args()
    campaign, count = CAMPAIGNS[options.campaign]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=options.folder is None)
        for line in campaign(options.count or count, options.seed, folder):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What single training seeds would have said, as a table for the page and sentences for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import PageTable
from reports.stats.single_seed_claims import SingleSeedClaims
from reports.store.replicates import display_name
from reports.tables.comparison_figures import figure, interval_text
from reports.tables.narrative import mean_label
from reports.tables.text_wrap import wrapped

_ABOUT = {
    "mean_difference_in_differences": "difference in loss",
    "mean_retained_difference": "difference retained of what both solve",
    "mean_retained_difference_over_filler": "the same, net of filler",
}


def single_seed_table(claims: Sequence[SingleSeedClaims]) -> PageTable:
    """Return for each answer how often a single pair of models would have misled, as a table."""
    columns = ("what", "mean over seeds, points", "opposite sign", "p < 0.05", "opposite", "within a family, p < 0.05")
    rows = [
        (
            _what(single),
            f"{figure(single.row.measure, single.row.estimate)} {interval_text(single.row)}",
            f"{single.other_sign} of {single.row.seeds}",
            f"{single.shown} of {single.row.seeds}",
            f"{single.shown_other_sign} of {single.shown}" if single.shown else "–",
            f"{single.false_alarms} of {single.same_family}",
        )
        for single in claims
    ]
    return PageTable("What single training seeds would have said", columns, rows)


def single_seed_lines(claims: Sequence[SingleSeedClaims], width: int) -> list[str]:
    """Return the sentences as lines for the terminal; none without several seeds."""
    lines = [line for single in claims for line in wrapped(_sentence(single), width, "  ", "    ")]
    return ["what single training seeds would have said (p < 0.05 over problems)", *lines] if lines else []


def _what(single: SingleSeedClaims) -> str:
    models = f"{display_name(single.row.model)} against {display_name(single.row.against)}"
    return f"{_ABOUT[single.row.contrast]}, {mean_label(single.row.noise)}: {models}"


def _sentence(single: SingleSeedClaims) -> str:
    seeds = single.row.seeds
    shown = f"{single.shown} of {seeds} pairs show a difference, {single.shown_other_sign} of them opposite ones"
    signs = f"{single.other_sign} of {seeds} have the opposite sign"
    within = f"{single.false_alarms} of {single.same_family} comparisons between seeds of one family show one, too"
    return f"{_what(single)}: {shown}; {signs}; {within}."

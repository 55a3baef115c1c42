"""The rows of `interventions.csv`: one figure each, with its interval and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from reports.stats.comparison_rows import Comparison
from reports.store.spreadsheet_safe_csv import write_csv

#: The contrasts that are tested. Over all models, noises and conditions, the p values of one are a family.
EFFECT, COST, PART, PART_DIFFERENCE, FLIP = ("effect", "cost", "part", "part_difference", "flip_prediction")
FAULT = "fault"
#: The parts that what noise costs is the sum of, and their sum.
TOTAL, PARTS = "total", ("reading", "displacement", "rest")
#: The measures of rows that are neither accuracies nor likelihoods.
SHARE, AREA = "share_of_wrong_answers", "auc"


@dataclass(frozen=True)
class InterventionRow(Comparison):
    """One figure of the stage `intervene`. docs/statistics.md has the formulas.

    `of` is the condition, the part or the predictor that the row is about. Estimates of the measure `accuracy` are
    fractions, of `likelihood` nats per token; of `share_of_wrong_answers` they are the share that has the `fault`; of
    `auc` the area under the ROC curve. A positive difference of parts means that `against` loses more by this part than
    `model`. `count` are the wrong answers with the fault, or the problems that flipped, among `n`; None in other rows.
    Only differences of parts have a `detectable` and a `needed`.
    """

    of: str = ""
    fault: str = ""
    count: int | None = None


#: The columns of the file, in order. The stage is the same in every row.
COLUMNS = (
    *("model", "against", "noise", "contrast", "of", "fault", "measure", "estimate", "low", "high"),
    *("p", "p_adjusted", "count", "n", "clusters", "method", "detectable", "needed", "seeds", "p_sign_flips"),
)


def about(row: Comparison, of: str, fault: str = "", count: int | None = None) -> InterventionRow:
    """Return a comparison as a row about a condition, a part or a predictor."""
    values = {field.name: getattr(row, field.name) for field in fields(Comparison)}
    return InterventionRow(**values, of=of, fault=fault, count=count)


def write_interventions_csv(rows: Sequence[InterventionRow], path: Path) -> None:
    """Write the rows, with six significant digits; None becomes an empty field. Raises `ResultsFolderError`."""
    import pandas  # takes a second to import, and is needed only at the end of a run

    values = [[getattr(row, column) for column in COLUMNS] for row in rows]
    table = pandas.DataFrame(values, columns=list(COLUMNS)).astype({"needed": "Int64", "count": "Int64"})
    write_csv(table, path)

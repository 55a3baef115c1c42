"""The values of the page's template: plain values, and figures as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.findings import Findings
from reports.page.charts import forest_figure, lift_figure, svg
from reports.page.examples import examples, packed
from reports.page.intervention_context import intervention_context
from reports.page.provenance import caveats, provenance, relevant_runs, run_description
from reports.page.token_shading import shaded_questions
from reports.plots.accuracy_plot import accuracy_figure
from reports.plots.attention_heatmap import has_heatmap_data, heat_figure
from reports.plots.dose_plot import dose_figure
from reports.plots.retrieval_plot import retrieval_figure
from reports.plots.seed_plot import seed_figure
from reports.stages import REPORTED_STAGES
from reports.stats.accuracies import CellAccuracy
from reports.stats.accuracies_over_seeds import replicate_rows
from reports.stats.attention_stats import AttentionRow, MeasuredCell, needle_depth, rows_of_cells
from reports.stats.comparisons import Comparison
from reports.stats.retrieval_stats import retrieval_points
from reports.store.record_kinds import ACCURACY
from reports.store.run_json import read_runs
from reports.tables.accuracy_remarks import accuracy_remarks
from reports.tables.attention_narrative import LIMIT, attention_sentences
from reports.tables.comparison_figures import figure
from reports.tables.narrative import sentences
from reports.tables.score_tables import not_compared
from reports.tables.single_seed_table import single_seed_table

#: The columns of the table of accuracies: name of the value, heading, and whether it is a number.
_COLUMNS = (
    ("stage", "stage", False),
    ("model", "model", False),
    ("noise", "noise", False),
    ("problems", "problems", True),
    ("accuracy", "accuracy, %", True),
    ("interval", "95 % interval of accuracy", True),
    ("seeds", "training seeds, lowest to highest", True),
    ("degradation", "points lost to noise", True),
    ("degradation_interval", "95 % interval of the loss", True),
    ("gain", "points won by tuning", True),
    ("gain_interval", "95 % interval of the gain", True),
    ("truncated", "cut off", True),
    ("errors", "errors", True),
)
_DAMAGED = "run.json is damaged, so a caveat that belongs to these figures may be missing"
_MISSING = "run.json says nothing of these records, so a caveat that belongs to these figures may be missing"


def page_context(findings: Findings) -> dict[str, Any]:
    """Return every variable of the template. Raises `ResultsDamaged`, `ResultsFolderError`."""
    rows, compared, cells, styles = (
        findings.accuracies,
        findings.comparisons,
        findings.attention_cells,
        findings.model_styles,
    )
    results, seeds = findings.results, replicate_rows(findings.cell_accuracies)
    settings = findings.settings
    all_runs = read_runs(results.folder / "run.json")
    runs = relevant_runs(all_runs or [], settings.keys())
    heat, points, shown = rows_of_cells(cells), retrieval_points(cells), examples(results)
    return {
        "title": results.folder.resolve().name,
        "caveats": [*caveats(runs), *([_DAMAGED] if all_runs is None else [_MISSING] if settings and not runs else [])],
        "sentences": sentences(compared),
        "run_description": run_description(
            models=[row.model for row in rows],
            sources=[str(known.get("problems", "")) for known in settings.values()],
            counts=[row.problems for row in rows],
            runs=runs,
            precisions=[str(known.get("precision", "")) for known in settings.values()],
        ),
        "accuracy_picture": svg(accuracy_figure(rows, styles, seeds), _accuracy_alternative(rows)) if rows else None,
        "accuracy_columns": _columns(_table(rows)),
        "accuracy_rows": _table(rows),
        "remarks": [*accuracy_remarks(rows), *findings.seed_remarks],
        "each_seed_rows": _table(seeds),
        "seeds": _picture(
            seed_figure(findings.family_comparisons, findings.model_comparisons),
            "By how much one family loses less than the other: a number for each training seed, and their mean",
        ),
        "single_seed_claims": single_seed_table(findings.single_seed_claims) if findings.single_seed_claims else None,
        "doses": _picture(dose_figure(rows, styles), "Accuracy by the number of distractors, a line for each model"),
        "forest": _picture(
            forest_figure(compared, styles), "What noise costs each model, and how much less one loses: intervals"
        ),
        "not_compared": not_compared(findings.pairs_with_different_tokenization),
        "comparison_rows": [_comparison(row) for row in compared if row.p is not None],
        "stage_tables": [table for stage in REPORTED_STAGES.values() if stage.page for table in stage.page(findings)],
        "attention_sentences": attention_sentences(findings.attention_comparisons),
        "attention_limit": LIMIT,
        "interventions": intervention_context(findings.interventions),
        "retrieval": _picture(
            retrieval_figure(points, styles) if points else None,
            "Lift of the needle and of the noise by the depth of the needle, a line for each model",
        ),
        "lift": _picture(
            lift_figure(cells, styles), "Lift of noise and of key information by layer, a line for each model"
        ),
        "heat": _heat(heat) if has_heatmap_data(heat) else None,
        "shaded": shaded_questions(results.folder),
        "lambdas": _lambdas(cells),
        "examples": shown,
        "data": packed(shown | {"colours": [styles[model].colour for model in shown["models"]]}),
        "provenance": provenance(runs, settings),
        "damaged": all_runs is None,
    }


def _lambdas(cells: Sequence[MeasuredCell]) -> dict[str, list[str]]:
    """Return λ of each layer of the differential models: `0.36`, `0.36 ± 0.05` where it depends on the text, and with
    the layer's number, `layer 3: 0.36`, where not all layers are differential."""
    shown: dict[str, list[str]] = {}
    for cell in cells:
        label = cell.cell.model if cell.lambda_stds is None else f"{cell.cell.model}, {cell.cell.noise}"
        if cell.lambdas and needle_depth(cell.cell.noise) is None and label not in shown:
            spreads = [f" ± {spread:.2f}" for spread in cell.lambda_stds or ()] or [""] * len(cell.lambdas)
            layers = [f"layer {layer}: " for layer in cell.layers]
            if cell.layers == tuple(range(len(cell.layers))):
                layers = [""] * len(layers)
            figures = zip(layers, cell.lambdas, spreads, strict=True)
            shown[label] = [f"{layer}{value:.2f}{spread}" for layer, value, spread in figures]
    return shown


def _heat(rows: Sequence[AttentionRow]) -> str:
    return svg(heat_figure(rows), "Lift of the distractor in each layer and head", on_paper=False)


def _picture(figure: Any, alternative: str) -> str | None:
    return None if figure is None else svg(figure, alternative)


def _accuracy_alternative(rows: Sequence[CellAccuracy]) -> str:
    figures = (f"{r.stage}, {r.model}, {r.noise}: {100 * r.accuracy:.1f} %" for r in rows if r.accuracy is not None)
    return f"Accuracy of each model with each noise, with intervals: {'; '.join(figures)}"


def _table(rows: Sequence[CellAccuracy]) -> list[dict[str, str]]:
    return [
        {
            "stage": row.stage,
            "model": row.model,
            "noise": row.noise,
            "problems": f"{row.problems:,}",
            "accuracy": "–" if row.accuracy is None else f"{100 * row.accuracy:.1f}",
            "interval": _interval(row.low, row.high),
            "seeds": f"{row.seeds} ({_interval(row.lowest, row.highest)})" if row.seeds > 1 else "",
            "degradation": "" if row.degradation is None else f"{100 * row.degradation:.1f}",
            "degradation_interval": _interval(row.degradation_low, row.degradation_high),
            "gain": "" if row.gain is None else f"{100 * row.gain:+.1f}",
            "gain_interval": _interval(row.gain_low, row.gain_high),
            "truncated": f"{row.truncated:,}" if row.truncated else "",
            "errors": f"{row.errors:,}" if row.errors else "",
        }
        for row in rows
    ]


def _columns(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str, bool]]:
    """Return the columns that have something in them."""
    return [column for column in _COLUMNS if any(row[column[0]] for row in rows)]


def _comparison(row: Comparison) -> dict[str, str]:
    adjusted = row.p_adjusted
    return {
        "stage": row.stage,
        "contrast": row.contrast.replace("_", " "),
        "what": row.noise + ": " + row.model + (f" against {row.against}" if row.against else ""),
        "estimate": "" if row.estimate is None else figure(row.measure, row.estimate),
        "interval": _interval(row.low, row.high, row.measure),
        "p": "" if adjusted is None else "< 0.001" if adjusted < 0.001 else f"{adjusted:.3f}",
        "problems": f"{row.clusters:,}" if row.seeds == 1 else f"{row.seeds} seeds × {row.clusters:,}",
    }


def _interval(low: float | None, high: float | None, measure: str = ACCURACY) -> str:
    return "" if low is None or high is None else f"{figure(measure, low)} to {figure(measure, high)}"

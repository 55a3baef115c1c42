"""The inspection of a model, and the comparison of two, as lines of text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from models.commands.inspect_model import SIZE_TOLERANCE, Difference, Inspection, is_matched, value_text

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def inspection_lines(inspection: Inspection) -> list[str]:
    """Return a title and tables: parameters by block, configuration, layers, memory."""
    total = inspection.parameters
    counts = f"{total:,} parameters, {inspection.trainable:,} of them trainable"
    lines = [f"{inspection.name}: {inspection.architecture}, {counts}"]
    lines += [f"  {inspection.source}", f"  fingerprint {inspection.fingerprint[:12]}", ""]
    shares = [(block, f"{count:,}", f"{100 * count / total:.1f} %") for block, count in inspection.blocks.items()]
    lines += _table(("block", "parameters", "share"), shares)
    values = [(name, value_text(value)) for name, value in inspection.configuration.items()]
    lines += _table(("configuration", ""), values)
    layers = [(str(layer.number), f"{layer.parameters:,}", _lambda_text(layer.lambda_)) for layer in inspection.layers]
    differential = any(layer.lambda_ is not None for layer in inspection.layers)
    lines += _table(("layer", "parameters", "λ" if differential else ""), layers)
    memory = [(f"weights in {precision}", size_text(size)) for precision, size in inspection.memory.items()]
    if inspection.cache is not None:
        memory.append(("keys and values of a token, float32", size_text(inspection.cache)))
    lines += _table(("memory", ""), memory)
    special_tokens = ", ".join(
        f"{name.removesuffix('_token')} {token or '–'}" for name, token in inspection.special_tokens.items()
    )
    return [*lines, f"tokenizer: {inspection.tokens:,} tokens; {special_tokens}"]


def _lambda_text(lambda_: float | str | None) -> str:
    return f"{lambda_:.4f}" if isinstance(lambda_, float) else lambda_ or ""


def comparison_lines(first: str, second: str, differences: Sequence[Difference]) -> list[str]:
    """Return a row for each property of the models `first` and `second`, and the verdict."""
    rows = [(row.property_name, row.first, row.second, "" if row.alike else "differs") for row in differences]
    unlike = [row.property_name for row in differences if not row.alike]
    verdict = (
        f"not matched: {', '.join(unlike)}"
        if unlike
        else f"matched: alike in all of this (parameters to {SIZE_TOLERANCE:.0%})"
    )
    return [*_table(("", first, second, ""), rows), verdict]


def inspection_facts(first: Inspection, second: Inspection | None, differences: Sequence[Difference]) -> dict[str, Any]:
    """Return the same as JSON values."""
    facts: dict[str, Any] = {"model": asdict(first)}
    if second is not None:
        compared = [_difference_facts(row) for row in differences]
        facts |= {"other": asdict(second), "compared": compared, "matched": is_matched(differences)}
    return facts


def _difference_facts(row: Difference) -> dict[str, Any]:
    return {"what": row.property_name, "first": row.first, "second": row.second, "alike": row.alike}


def size_text(size: float) -> str:
    """Return a number of bytes in the unit that leaves one to three digits before the point."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:,.1f} {unit}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return lines of columns as wide as their cells, the first aligned left and the others right."""
    all_rows = [head, *rows]
    widths = [max(len(row[column]) for row in all_rows) for column in range(len(head))]
    lines = []
    for row in all_rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return [*lines, ""]

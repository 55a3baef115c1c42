"""What a model is made of, as lines of text and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from models.commands.model_summary import Difference, Inspection, matched, value_text

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def inspection_lines(one: Inspection) -> list[str]:
    """A title, and tables: parameters by block, configuration, layers, memory."""
    lines = [f"{one.name}: {one.architecture}, {one.parameters:,} parameters, {one.trainable:,} of them trainable"]
    lines += [f"  {one.source}", f"  fingerprint {one.fingerprint[:12]}", ""]
    shares = [(block, f"{count:,}", f"{100 * count / one.parameters:.1f} %") for block, count in one.blocks.items()]
    lines += _table(("block", "parameters", "share"), shares)
    lines += _table(("configuration", ""), [(name, value_text(value)) for name, value in one.configuration.items()])
    layers = [
        (str(layer.number), f"{layer.parameters:,}", "" if layer.lambda_ is None else f"{layer.lambda_:.4f}")
        for layer in one.layers
    ]
    differential = any(layer.lambda_ is not None for layer in one.layers)
    lines += _table(("layer", "parameters", "λ" if differential else ""), layers)
    memory = [(f"weights in {precision}", size_text(size)) for precision, size in one.memory.items()]
    if one.cache is not None:
        memory.append(("keys and values of a token, float32", size_text(one.cache)))
    lines += _table(("memory", ""), memory)
    special = ", ".join(f"{name.removesuffix('_token')} {token or '–'}" for name, token in one.special_tokens.items())
    return [*lines, f"tokenizer: {one.tokens:,} tokens; {special}"]


def comparison_lines(one: str, other: str, found: Sequence[Difference]) -> list[str]:
    """A row for each thing compared, what is not alike marked, and the verdict."""
    rows = [(row.what, row.first, row.second, "" if row.alike else "differs") for row in found]
    apart = [row.what for row in found if not row.alike]
    said = "matched: alike in all of this" if matched(list(found)) else f"not matched: {', '.join(apart)}"
    return [*_table(("", one, other, ""), rows), said]


def inspection_facts(one: Inspection, other: Inspection | None, found: Sequence[Difference]) -> dict[str, Any]:
    """The same as JSON values."""
    facts: dict[str, Any] = {"model": asdict(one)}
    if other is not None:
        facts |= {"other": asdict(other), "compared": [asdict(row) for row in found], "matched": matched(list(found))}
    return facts


def size_text(size: float) -> str:
    """Bytes in the unit that leaves one to three digits in front of the point."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:,.1f} {unit}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns as wide as what stands in them; the first to the left, the others to the right."""
    every = [head, *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(head))]
    lines = []
    for row in every:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return [*lines, ""]

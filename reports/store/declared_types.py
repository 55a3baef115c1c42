"""Whether the values of a record have the types that its class declares."""

from __future__ import annotations

import sys
import types
from dataclasses import fields
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN = (str, int, bool, types.NoneType)


def mistyped_field(record: Any) -> str:
    """Return the name of the first field whose value has another type than declared; empty where there is none.

    A `float` may be an `int`, and must be finite. Checked are texts, numbers, None, literals, unions, and tuples of
    them to any depth; a field of another type, of a stage from outside, may hold anything.
    """
    hints = _hints(record.__class__)
    return next(
        (field.name for field in fields(record) if not _fits(getattr(record, field.name), hints[field.name])), ""
    )


@cache
def _hints(type_: type[Any]) -> dict[str, Any]:
    return get_type_hints(type_)


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in parts
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        if type(value) is not tuple:
            return False
        if parts[-1] is ...:
            return all(map(_is_number, value)) if parts[0] is float else all(_fits(part, parts[0]) for part in value)
        return len(value) == len(parts) and all(map(_fits, value, parts))
    if hint is float:
        return _is_number(value)
    return type(value) is hint if hint in _PLAIN else True


def _is_number(value: Any) -> bool:
    return type(value) in (float, int) and abs(value) <= sys.float_info.max  # an int may be greater than any float

"""Whether the values of a record have the types that its class declares."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from functools import cache
from math import isfinite
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN = (str, int, bool, types.NoneType)
_NUMBERS = {float, int}
_Check = Callable[[Any], bool]


def mistyped_field(record: Any) -> str:
    """Return the name of the first field whose value has another type than declared; empty where there is none.

    A `float` may be an `int`, and must be finite. Checked are texts, numbers, None, literals, unions, and tuples of
    them to any depth; a field of another type, of a stage from outside, may hold anything.
    """
    for name, fits in _checks_of(record.__class__):
        if not fits(getattr(record, name)):
            return name
    return ""


@cache
def _checks_of(record_type: Any) -> tuple[tuple[str, _Check], ...]:
    try:
        hints = get_type_hints(record_type)
    except NameError:  # a type that only a type checker imports
        return ()
    return tuple((name, _check_of(hint)) for name, hint in hints.items())


def _check_of(hint: Any) -> _Check:
    """Return the function that says whether a value has the type of an annotation."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return lambda value: value in parts
    if origin in (Union, types.UnionType):
        if all(part in _PLAIN for part in parts):
            return lambda value: type(value) in parts
        options = [*map(_check_of, parts)]
        return lambda value: any(fits(value) for fits in options)
    if origin is tuple and parts[-1:] == (...,):
        of_all = _are_numbers if parts[0] is float else _all_fit(parts[0])
        return lambda value: type(value) is tuple and of_all(value)
    if origin is tuple:
        if all(part in _PLAIN for part in parts):
            return lambda value: type(value) is tuple and tuple(map(type, value)) == parts
        each = [*map(_check_of, parts)]
        return lambda value: (
            type(value) is tuple
            and len(value) == len(each)
            and all(fits(part) for fits, part in zip(each, value, strict=True))
        )
    if hint is float:
        return lambda value: _are_numbers((value,))
    return (lambda value: type(value) is hint) if hint in _PLAIN else (lambda value: True)


def _all_fit(hint: Any) -> _Check:
    if hint in _PLAIN:
        return lambda values: all(type(value) is hint for value in values)
    fits = _check_of(hint)
    return lambda values: all(map(fits, values))


def _are_numbers(values: Iterable[Any]) -> bool:
    try:
        return _NUMBERS.issuperset(map(type, values)) and all(map(isfinite, values))
    except OverflowError:  # an int that is greater than any float
        return False

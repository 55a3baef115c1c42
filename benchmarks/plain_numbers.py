r"""Rewrite the numbers of an answer in the plain notation that `noise.text.number_parsing` reads.

`4\times 10^6` becomes `4e6`, `\frac{1}{-2}` becomes `-1/2`, `1_000` becomes `1000`, and `25 m^2` loses its exponent.
What stands where one number should and is none, as `12,5`, becomes `UNREADABLE`, so that no part of it is read.
"""

from __future__ import annotations

import re
from fractions import Fraction

from noise.text.number_parsing import MAX_DIGITS

UNREADABLE = "\ue000"
"""Stands in the place of a number that is not to be read: a private-use character."""

# Every pattern is bounded or possessive, and starts where a run of digits starts: time stays linear in any text.
# _-10_: an underscore is a letter to \b and \w
_EMPHASIS = re.compile(r"(?<![\w\\])(?<![0-9][.,/⁄-])_{1,3}(?=[-+−]?[.0-9])")
_UNDERSCORES = re.compile(r"(?<![^\W_])[0-9]{1,3}+(?:_[0-9]{3}+)++(?![^\W_])")
_LATEX = (
    (re.compile(r"\\(?:left|right)(?![a-z])"), ""),
    (re.compile(r"\\(?:times|cdot)(?![a-z])"), "×"),
    (re.compile(r"\\div(?![a-z])"), "÷"),
    # 1{,}450 and 1\,450
    (re.compile(r"(?<=[0-9])(?:(?:\\text ?)?\{,\}|,\\!|\\(?:[,!:; ]|thinspace ?))(?=[0-9]{3}(?![0-9]))"), ","),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\\(?:text|math)(?:rm|bf|sf|it|normal)? ?\{([^{}]{0,80}+)\}"), r" \1 "),
    (re.compile(r"(?<=\w) ?\\[cdt]?frac(?![a-z])"), r" \\frac"),  # 3\frac{1}{2} is a mixed number
)
_FRACTION = re.compile(
    r"\\[cdt]?frac ?(?:\{(?P<above>[^{}]{0,80}+)\}|(?P<top>[0-9])) ?(?:\{(?P<below>[^{}]{0,80}+)\}|(?P<foot>[0-9]))"
)
_PART = re.compile(r"\s*([-−–]?)\s*[$€£¥₹]?([0-9.,]{1,40}+)[\s%]*")
_WIDE_GROUPS = re.compile(r"(?<![\w.,])[0-9]{1,3}+(?:[\u00a0\u202f\u2009][0-9]{3}+)++(?![0-9])")
_RUN = re.compile(r"(?<![^\W_])[0-9]++(?:[.,][0-9]++)++")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})++(?:\.[0-9]++)?+")
_EUROPEAN = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}+(?:,[0-9]++)?+|\.[0-9]{3},[0-9]{1,2}+)")
# `2**3`, and neither `is **25**` nor `**Answer**25`.
_STARS = re.compile(
    r"(?<![\w)])\*\*(?=\S)[^*\n]{1,80}+(?<=\S)\*\*|(?<=[\w)])\*\*(?=\S)[^*\n]{1,80}+(?<=\S)\*\*(?!\w)"
    r"|(?<=[\w)])(?P<power>\*\*| \*\* )(?=[-−]?[0-9])"
)
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴-⁹]++")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_WHOLE = r"(?<![^\W_])(?<!\.)(?<![0-9],)[0-9]++(?:,[0-9]{3})*+(?:\.[0-9]++)?+"
_EXPONENT = r"(?: ?\^ ?(?:\{[^{}\n]{1,40}+\}|\([^()\n]{1,40}+\)|[{(]? ?[-+−]?[0-9]++(?:\.[0-9]++)?+))"
_SCIENTIFIC = re.compile(rf"(?<![/⁄^])(?<![/⁄^] )(?P<mantissa>{_WHOLE}) ?[×·*xX] ?10(?P<exponent>{_EXPONENT})(?! ?\^)")
_POWER = re.compile(
    rf"(?:(?P<base>{_WHOLE})|(?<![\w}}])[({{] ?(?P<inner>[-−]?[0-9][0-9.,]*+(?:/[0-9][0-9.,]*+)?) ?[)}}])?"
    rf"(?P<exponent>{_EXPONENT}++)"
)
_UNKNOWN = re.compile(r"(?<=[0-9]) ?\^ ?[{(]?[a-np-zA-Z](?![A-Za-z])")  # 2^n, and neither 5^{th} nor 90^o
_INTEGER = re.compile(r"[-+]?[0-9]{1,4}")
_MAX_BITS = 700
"""The greatest power that is worked out, in bits; of those, the ones of up to `MAX_DIGITS` digits are written."""
_SIGN_APART = r"(?:(?:negative|minus)[ \t]+|[-−][ \t]+)(?=[$€£¥₹]?\.?[0-9])"
_SPACED = r"([-−–]?[$€£¥₹]?[-−–]?)([1-9][0-9]{0,2}+(?: [0-9]{3}+)++)(?! ?[0-9/⁄]|-[^\W\d_])"
_SIGNS = (
    (re.compile(rf"(?<=[=≈])([ \t*$(]{{0,4}}+)_{{0,3}}+{_SIGN_APART}", re.IGNORECASE), r"\1-"),
    (re.compile(r"\bnegative[ \t]+(?=[$€£¥₹]?\.?[0-9])", re.IGNORECASE), "-"),
    (re.compile(r"\b(is|was|equals)[ \t]+minus[ \t]+(?=[$€£¥₹]?\.?[0-9])", re.IGNORECASE), r"\1 -"),
)
_SPACED_RESULT = re.compile(rf"(?<=[=≈])([ \t]?+){_SPACED}")
_OPENED = re.compile(rf"([ \t*$(\[{{:=≈~\\]{{0,12}}+)_{{0,3}}+{_SIGN_APART}", re.IGNORECASE)
_OPENED_MIXED = re.compile(r"([\s*_$({\[:=≈~\\]{0,12}+[-−–]?[0-9]{1,9}+) and (?=[0-9]{1,3}+[/⁄][0-9]|[¼½¾⅐-⅞])")
_OPENED_SPACED = re.compile(rf"([\s*_$({{\[:=≈~\\]{{0,12}}+){_SPACED}")


def plain_numbers(text: str) -> str:
    """Return `text` with its numbers in plain notation. Time is linear in the length of the text."""
    if "_" in text:
        text = _EMPHASIS.sub("", text)
        text = _UNDERSCORES.sub(lambda match: match[0].replace("_", ""), text)
    latex = "\\" in text or "{,}" in text
    if latex:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    text = _RUN.sub(_run, _WIDE_GROUPS.sub(lambda match: re.sub(r"\s", "", match[0]), text))
    if latex:
        text = _FRACTION.sub(lambda match: _fraction(match, match[0]), text)
    text = _powers(text)
    if latex:
        text = _FRACTION.sub(lambda match: _fraction(match, UNREADABLE), text)
    for pattern, plain in _SIGNS:
        text = pattern.sub(plain, text)
    return _SPACED_RESULT.sub(_joined, text)


def opened(text: str) -> str:
    """Return what follows a marker, with the parts of the number that it opens with joined.

    They are a sign (`- 5`), groups of three (`1 450`) or a fraction (`3 and 1/2`). Elsewhere `10 - 5` is a difference,
    and `in 2019 450 people` are two numbers. On a new line `- 5` is an item.
    """
    if sign := _OPENED.match(text):
        text = f"{sign[1]}-{text[sign.end() :]}"
    if mixed := _OPENED_MIXED.match(text):
        return f"{mixed[1]} {text[mixed.end() :]}"
    if spaced := _OPENED_SPACED.match(text):
        text = _joined(spaced) + text[spaced.end() :]
    return text


def _joined(match: re.Match[str]) -> str:
    return match[1] + match[2] + match[3].replace(" ", "")


def _run(match: re.Match[str]) -> str:
    """Return digits with points and commas as they are, or with European ones made English, or as no number."""
    run = match[0]
    if _EUROPEAN.fullmatch(run):
        return run.replace(".", "").replace(",", ".")
    return run if "," not in run or _GROUPED.fullmatch(run) else UNREADABLE


def _fraction(match: re.Match[str], otherwise: str) -> str:
    """Return `a/b`; what is no quotient of two numbers is left alone, or `otherwise` where it has digits."""
    parts = match["above"] or match["top"] or "", match["below"] or match["foot"] or ""
    above, below = (_PART.fullmatch(part) for part in parts)
    if above and below:
        return f"{'-' if bool(above[1]) != bool(below[1]) else ''}{above[2]}/{below[2]}"
    return otherwise if re.search(f"[0-9{UNREADABLE}]", "".join(parts)) else match[0]


def _powers(text: str) -> str:
    """Return `text` with powers worked out, and without the exponents of units."""
    text = _RAISED.sub(lambda match: f"^{{{match[0].translate(_LOWERED)}}}", text)
    if "**" in text:
        text = _STARS.sub(lambda match: "^" if match["power"] else match[0], text)
    if "^" not in text:
        return text
    return _POWER.sub(_power, _SCIENTIFIC.sub(_scientific, _UNKNOWN.sub(UNREADABLE, text)))


def _scientific(match: re.Match[str]) -> str:
    exponent = _exponent(match["exponent"])
    if exponent is None:
        return UNREADABLE if _is_number(match["exponent"]) else match[0]
    follows = match.string[match.end() : match.end() + 1]
    number = f"{match['mantissa']}e{exponent}" if abs(exponent) <= MAX_DIGITS else UNREADABLE
    return number + " " * follows.isalnum()


def _power(match: re.Match[str]) -> str:
    if not _is_number(match["exponent"]):
        return match[0]  # 90^{\circ}
    base = match["base"] or match["inner"]
    if base is None:  # a unit's, but for a digit that belongs to no number
        return UNREADABLE if match.string[: match.start()][-1:].isdigit() else ""
    exponent = _exponent(match["exponent"])
    value = None if exponent is None else _raised(base.replace(",", "").replace("−", "-"), exponent)
    if value is None:
        return UNREADABLE
    in_quotient = re.search(r"[/⁄] ?$", match.string[max(0, match.start() - 2) : match.start()])
    in_quotient = in_quotient or re.match(r" ?[/⁄]", match.string[match.end() : match.end() + 2])
    return UNREADABLE if in_quotient and value.denominator > 1 else str(value)


def _is_number(exponent: str) -> bool:
    return exponent.lstrip(" ^{(").startswith(tuple("0123456789-+−."))


def _exponent(written: str) -> int | None:
    """Return the value of `^3`, `^{-3}` or `^(3)`, or None for any other exponent."""
    inside = written.replace("−", "-").strip(" ^{}()")
    return int(inside) if _INTEGER.fullmatch(inside) and written.count("{") == written.count("}") else None


def _raised(base: str, exponent: int) -> Fraction | None:
    """Return a power, or None for one that has too many digits or is none."""
    parts = base.split("/")
    if any(len(part) > MAX_DIGITS or part.count(".") > 1 or part.endswith(".") for part in parts):
        return None
    numbers = [Fraction(part) for part in parts]
    if not all(numbers):  # a power of zero, or a division by it
        return Fraction(0) if len(numbers) == 1 and exponent > 0 else None
    number = numbers[0] / numbers[1] if len(numbers) > 1 else numbers[0]
    bits = max(number.numerator.bit_length(), number.denominator.bit_length())
    if bits * abs(exponent) > _MAX_BITS:
        return None
    value = number**exponent
    return value if max(abs(value.numerator), value.denominator) < 10**MAX_DIGITS else None

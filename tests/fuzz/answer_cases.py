"""The answer reader: texts with a known answer, texts that were cut off, and any texts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random

from benchmarks.grading import extract_answer, graded_again, graded_text, is_correct, marked_answer
from noise.problems.problem import NoisyProblem, Problem
from noise.text.number_parsing import MAX_DIGITS, last_number, numbers_in
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.random_texts import any_text, any_whole, changed_text

#: Ways to give an answer, strongest first; one of each line is as strong as another.
_FORMS = (
    ("#### {}", "####{}", "#### ${}", "#### **{}**", "#### {} apples", "so \\boxed{{{}}}", "$\\boxed{{{}}}$."),
    ("The answer is {}.", "So the final answer is: **{}**", "the answer would be {} km", "The answer to part b is {}."),
    ("A: {}", "**Answer:** {} apples", "### Final answer: {} km/h", "  a = ${}"),
    ("It is **{}**", "In all **${} a day**.", "**{}**"),
    ("In all {}", "That makes {} dollars.", "so x = {}", "{}%"),
)
_WORKING = (
    "She buys 3 of 4.\n",
    "48 / 2 = <<48/2=24>>24 clips.\n",
    "### Step 1\n#### Step 1: add\n",
    "#### 2. Add up the 5 parts\n",
    "**Step 1**: 24 clips, 72 in all.\n",
    "It costs $1,450.50, or 10/12/2020.\n",
    "B12 is no number.\n",
    "<think>\n#### 12\nno\n</think>\n",
)
_PIECES = (
    "####", "#### ", "\\boxed{", "\\boxed", "{", "}", "\\frac{1}{2}", "\\frac12", "\\$", "\\%", "{,}", "\\,", "\\text{",
    "the answer is", "The answer to part 2 was ", "answer equals", "\nA:", "\nAnswer = ", "**", "*", "=", "$", "1,450",
    "1,45", "0.5", ".5", "-", "−", "½", "3½", "7/2", "3 1/2", "1/0", "10/12/2020", "1e3", "1e999", "9" * 101, "\n", ".",
    "?", " ", " ", " apples", " is", " since ", " (", "x", "<think>", "</think>", "w" * 180, "<<", ">>", "5", "12", "%",
)  # fmt: skip
#: LaTeX and powers, which are worked out, and signs in words.
_WORKED_OUT = re.compile(r"\\|\{,\}|\^|[⁰¹²³⁴-⁹]|[\w)] ?\*\*|minus|negative", re.IGNORECASE)
_GROUPS_APART = re.compile(r"(?<=[0-9])[ ._\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9]))|(?<=[-−–])[ \t]+(?=[$€£¥₹]?[.0-9])")
_MARKERS = ("#### 2 +", "The answer is", "So the answer was:")


@dataclass(frozen=True)
class AnswerText:
    """A text, its answer, and which claim is checked of it; an `answer` of "unknown" is one that only the reader knows.

    It may be cut off at `cut`, come after `thought`, and have its answer written in `form`.
    """

    text: str
    answer: Fraction | str
    claim: str
    cut: int
    thought: str = ""
    form: str = "{}"


def draw(rng: Random) -> AnswerText:
    """Return a text with a known answer, or any text."""
    claims = tuple(_CLAIMS)
    if rng.random() < 0.5:
        text, answer = _with_answer(rng)
    else:
        pieces = (rng.choice(_PIECES) if rng.random() < 0.8 else any_text(rng, 4) for _ in range(rng.randrange(16)))
        text, answer = "".join(pieces), "unknown"
        if rng.random() < 0.3:
            text = changed_text(rng, _with_answer(rng)[0])
        if rng.random() < 0.06:  # as far from its marker as a number may be, and a little farther
            equals, number = rng.choice((" ", " = ")), any_number_written(rng)[1]
            text = rng.choice(_MARKERS) + " w" * rng.randrange(188, 202) + f"{equals}{number} in all."
            claims = ("stands in the text",)
    claim, thought = rng.choice(claims), "".join(rng.choices(_PIECES, k=rng.randrange(4)))
    form = rng.choice(("{}", "#### {}", "A: {}", "The answer is {}."))
    return AnswerText(text, answer, claim, rng.randrange(len(text) + 1), thought, form)


def _with_answer(rng: Random) -> tuple[str, Fraction]:
    """Return a text and its answer. Weaker markers, and earlier ones that are as strong, have other numbers."""
    rank = rng.randrange(len(_FORMS))
    answer, written = any_number_written(rng)
    lines = [rng.choice(_WORKING) for _ in range(rng.randrange(4))]
    for _ in range(rng.randrange(3)):
        lines.append(rng.choice(_FORMS[rng.randrange(rank, len(_FORMS))]).format(any_number_written(rng)[1]) + "\n")
    lines.append(rng.choice(_FORMS[rank]).format(written))
    if rank < 2:
        lines.extend("\n" + rng.choice(_FORMS[-1]).format(any_whole(rng)) for _ in range(rng.randrange(3)))
    return "".join(lines), answer


def any_number_written(rng: Random) -> tuple[Fraction, str]:
    """Return a number, and how somebody may write it."""
    kind = rng.randrange(7)
    if kind <= 1:
        value = any_whole(rng)
        text = f"{value:,}" if kind else str(value)
        text = text.replace(",", rng.choice((",", ",", "{,}", "\\,", ",\\!", "_", "\u00a0", "\u202f")))
        text += rng.choice(("", "", ".0", ".00"))
        answer = Fraction(value)
    elif kind == 2:
        text = str(Decimal(any_whole(rng)).scaleb(-rng.randrange(1, 6)).__format__("f"))
        answer = Fraction(text)
    elif kind == 3:
        above, below = any_whole(rng), rng.randrange(1, 1000)
        text = rng.choice(("{}/{}", "{} / {}", "\\frac{{{}}}{{{}}}", "\\dfrac{{{}}}{{{}}}", "{}⁄{}")).format(
            above, below
        )
        answer = Fraction(above, below)
    elif kind == 4:
        whole, below = rng.randrange(1, 1000), rng.randrange(2, 10)
        above = rng.randrange(1, below)
        text = f"{whole}{rng.choice((' {}/{}', chr(92) + 'frac{}{}', chr(92) + 'frac{{{}}}{{{}}}'))}".format(
            above, below
        )
        answer = whole + Fraction(above, below)
    elif kind == 5:
        base, exponent = rng.randrange(1, 1000), rng.randrange(1, 9)
        text = rng.choice(("{}^{}", "{}^{{{}}}", "{} \\times 10^{}", "{} × 10^{{{}}}")).format(base, exponent)
        answer = Fraction(base * 10**exponent if " " in text else base**exponent)
    else:
        text, answer = rng.choice((("½", Fraction(1, 2)), ("3½", Fraction(7, 2)), ("1.5e3", Fraction(1500))))
    sign = rng.choice(("", "", "", "-", "−", "–"))
    return (-answer if sign else answer), sign + text


def check(case: AnswerText) -> str:
    """Check the answer of a text, and one claim more, so that a million cases take no night."""
    answer = extract_answer(case.text)
    assert answer is None or type(answer) is Fraction
    if case.answer != "unknown":
        assert answer == case.answer, f"read {answer}, expected {case.answer}"
    _CLAIMS[case.claim](case, answer)
    if case.answer != "unknown":
        return "known answer"
    return "no answer" if answer is None else "an answer"


def _stands_in_the_text(case: AnswerText, answer: Fraction | None) -> None:
    """The answer is a number of the text. LaTeX and powers, which are worked out, are left out."""
    if answer is not None and not _WORKED_OUT.search(case.text):
        assert _stands_in(case.text, answer)


def _stands_in(text: str, value: Fraction) -> bool:
    """Return whether `value` is a whole number of the text, read from its begin or from behind a marker.

    Groups of three digits may be apart, and so may a sign.
    """
    for written in (text, _GROUPS_APART.sub("", text), _GROUPS_APART.sub("", text).replace(",", ".")):
        starts = [0, *(at for at in range(1, len(written)) if written[at - 1] not in "0123456789.,")]
        if any(value == number.value for start in starts for number in numbers_in(written[start:])):
            return True
    return False


def _is_read_again(case: AnswerText, answer: Fraction | None) -> None:
    """An answer that is written out is read as itself; a number such as 1e100 has too many digits for it."""
    if answer is not None and max(abs(answer.numerator), answer.denominator) < 10**MAX_DIGITS:
        assert is_correct(case.form.format(answer), answer)


def _surroundings_are_nothing(case: AnswerText, answer: Fraction | None) -> None:
    """Line ends around a text change nothing, and neither does a thought in front of it."""
    assert extract_answer(f"\n{case.text}\n") == answer
    if "<think>" not in case.text and "</think>" not in case.text:
        assert extract_answer(f"{case.thought}</think>{case.text}") == answer


def _no_part_of_a_number(case: AnswerText, _: Fraction | None) -> None:
    """A text that was cut off has an answer of its own or none, and never a part of a number."""
    cut = case.text[: case.cut]
    marked = marked_answer(cut)
    if marked is not None:
        assert _WORKED_OUT.search(cut) or _stands_in(case.text, marked)


def _every_number_is_parsed(case: AnswerText, _: Fraction | None) -> None:
    """Each number has the value of its range, read in another way, and no digit is left out."""
    text = case.text
    numbers, end = numbers_in(text), 0
    for number in numbers:
        assert end <= number.start < number.stop <= len(text)
        assert number.value == value_of(text[number.start : number.stop]), text[number.start : number.stop]
        end = number.stop
    assert last_number(text) == (numbers[-1] if numbers else None)
    if sum(map(text.count, "0123456789")) <= MAX_DIGITS and not re.search("[0-9.][eE]", text):
        parsed = {at for number in numbers for at in range(number.start, number.stop)}
        for digits in re.finditer("[0-9]+", text):
            before = text[: digits.start()][-1:]
            part_of_a_name = before.isalnum() or unicodedata.category(before or " ")[0] in "NM"
            assert part_of_a_name or parsed.issuperset(range(*digits.span()))


def value_of(written: str) -> Fraction:
    """Return the value of a number, signs and currency included, without the patterns of `number_parsing`."""
    unsigned = written.lstrip("-−–$€£¥₹")
    sign = -1 if set(written.removesuffix(unsigned)) & set("-−–") else 1
    plain = unsigned.replace(",", "").replace("⁄", "/").lower()
    if plain[-1] in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞":
        part = Fraction(unicodedata.numeric(plain[-1])).limit_denominator(10)
        return sign * (Fraction(plain[:-1].strip() or 0) + part)
    above, slash, below = plain.partition("/")
    whole, space, rest = above.strip().rpartition(" ")
    value = Fraction(rest) / Fraction(below.strip()) if slash else Fraction(rest)
    return sign * (value + (Fraction(whole) if space else 0))


def _grades_follow(case: AnswerText, answer: Fraction | None) -> None:
    """The verdict is that of the comparison, and grading a stored text again changes nothing."""
    target = answer if answer is not None and case.cut % 2 and abs(answer) < 10**9 and answer == int(answer) else 12
    problem = Problem("p", "How many?", f"#### {target}")
    graded = graded_text(NoisyProblem(problem, "clean", problem.question, (), 0), case.text, 9, finished=True)
    expected = "no_answer" if answer is None else "correct" if answer == target else "incorrect"
    assert (graded.outcome, graded.answer) == (expected, None if answer is None else str(answer))
    assert graded_again(graded, problem.answer, str(problem.target)) is None


_CLAIMS = {
    "stands in the text": _stands_in_the_text,
    "is read again": _is_read_again,
    "surroundings are nothing": _surroundings_are_nothing,
    "no part of a number": _no_part_of_a_number,
    "every number is parsed": _every_number_is_parsed,
    "grades follow": _grades_follow,
}
ANSWERS = FuzzTarget("answers", draw, check)

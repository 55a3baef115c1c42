"""From templates to problems. One seeded draw a problem: nothing depends on the others or on their order."""

from __future__ import annotations

import itertools
import random
import re
import zlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache

from noise.mini.mini_vocabulary import HELD_OUT, MADE_UP, SEEN, Lexicon, plural
from noise.mini.problem_templates import NEW_TEMPLATES, TEMPLATES, Template
from noise.mini.training_distractors import ASIDES
from noise.problems.problem import Problem

#: Shares of the training text, each a probability a problem; a drill is this many sums.
ASIDE_SHARE = 0.10
DRILL_SHARE = 0.20
MADE_UP_SHARE = 0.40
KIND_SHARE = 0.30
DRILL_LENGTH = 5
#: One in this many worked answers is held out: the test splits have these alone, and training has none of them.
HELD_OUT_EVERY = 5

_ALTERNATIVES = re.compile(r"\[(?:(\w)=)?([^\]]*)\]")
#: A sentence that leans on the one before it: nothing may be put between the two.
_LEANS = re.compile(
    r"\b(?:he|she|his|her|him|it|its|they|them|each|every|one|then|next|later|there|that|a pack)\b", re.IGNORECASE
)
_SLOT = re.compile(r"\{([A-Za-z])(1?)(?:\.(\w+))?\}")
#: Slot to (word, whether it is a woman's name).
_Taken = dict[str, tuple[str, bool]]
_WOMAN = {"he": "she", "his": "her", "him": "her", "He": "She", "His": "Her"}


def _draw_numbers(spec: str, rng: random.Random) -> dict[str, Fraction]:
    """`x:2..9 t=x*3` to values. The expressions are this package's own, so `eval` sees nothing from outside."""
    values: dict[str, Fraction] = {}
    for part in spec.split():
        if ":" in part:
            name, _, bounds = part.partition(":")
            low, high = (int(_evaluate(bound, values)) for bound in bounds.split(".."))
            values[name] = Fraction(rng.randint(low, max(low, high)))
        else:
            name, _, expression = part.partition("=")
            values[name] = _evaluate(expression, values)
    return values


@cache
def _compiled(expression: str) -> object:
    return compile(expression, "<template>", "eval")


def _evaluate(expression: str, values: Mapping[str, Fraction]) -> Fraction:
    return Fraction(eval(_compiled(expression), {"__builtins__": {}}, dict(values)))  # type: ignore[arg-type]


def show(value: Fraction) -> str:
    """A number as the worked answers write it: whole where it is whole, else a decimal."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def _work(step: str, values: dict[str, Fraction]) -> tuple[str, Fraction]:
    """One step, `x+y=s`, as it is written, `48+24=72`, and its result, which joins `values`."""
    expression, _, name = step.partition("=")
    values[name] = _evaluate(expression, values)
    written = re.sub(r"[a-z]", lambda match: show(values[match[0]]), expression)
    return f"{written}={show(values[name])}", values[name]


def _answer(equations: list[str], result: Fraction) -> str:
    """The worked answer: an equation a line, then GSM8K's last line."""
    return "\n".join([*equations, f"#### {show(result)}"])


class _Cast:
    """The people and things of one problem, drawn when a slot first asks, never the same one twice."""

    def __init__(self, words: Lexicon, rng: random.Random, made_up_share: float):
        self.words, self.rng, self.share = words, rng, made_up_share
        self.drawn: _Taken = {}

    def _words(self) -> Lexicon:
        return MADE_UP if self.rng.random() < self.share else self.words

    def word(self, slot: str) -> tuple[str, bool]:
        """The word behind a slot, and whether it is a woman's name."""
        while slot not in self.drawn:
            woman = self.rng.random() < 0.5
            words = self._words()
            if slot.isupper():
                word = self.rng.choice(words.women if woman else words.men)
            else:
                word = self.rng.choice(words.things)
                if self.rng.random() < KIND_SHARE:
                    word = f"{self.rng.choice(words.kinds)} {word}"
            if all(word != other for other, _ in self.drawn.values()):
                self.drawn[slot] = word, woman
        return self.drawn[slot]


def _fill(text: str, values: Mapping[str, Fraction], cast: _Cast) -> str:
    chosen: dict[str, int] = {}

    def alternative(match: re.Match[str]) -> str:
        wordings = match[2].split("|")
        index = cast.rng.randrange(len(wordings))
        return wordings[chosen.setdefault(match[1], index) if match[1] else index]

    text = _ALTERNATIVES.sub(alternative, text)

    def slot(match: re.Match[str]) -> str:
        name, singular, form = match.groups()
        if name in values:
            return show(values[name])
        word, woman = cast.word(name)
        if form:
            return _WOMAN[form] if woman else form
        return word if name.isupper() or singular else plural(word)

    return _SLOT.sub(slot, text)


def is_held_out(answer: str) -> bool:
    """Whether a worked answer belongs to the test splits. It goes by the text alone, whichever template wrote it."""
    return zlib.crc32(answer.encode()) % HELD_OUT_EVERY == 0


def draw_numbers(template: Template, rng: random.Random, held_out: bool | None) -> tuple[dict[str, Fraction], str]:
    """A template's values and its worked answer, drawn until it is on the side that is wanted; `None` wants any."""
    while True:
        values = _draw_numbers(template.numbers, rng)
        worked = [_work(step, values) for step in template.steps.split()]
        answer = _answer([equation for equation, _ in worked], worked[-1][1])
        if held_out is None or is_held_out(answer) == held_out:
            return values, answer


def _instance(
    template: Template, words: Lexicon, rng: random.Random, held_out: bool, made_up_share: float = 0.0
) -> tuple[str, str, _Cast]:
    values, answer = draw_numbers(template, rng, held_out)
    cast = _Cast(words, rng, made_up_share)
    return _fill(template.text, values, cast), answer, cast


def draw_aside(words: Lexicon, rng: random.Random, made_up_share: float = 0.0, taken: _Taken | None = None) -> str:
    """One sentence beside the point, about other people and things than those that are `taken`."""
    template = rng.choice(ASIDES)
    cast = _Cast(words, rng, made_up_share)
    cast.drawn = {f"problem {slot}": drawn for slot, drawn in (taken or {}).items()}
    return _fill(template.text, _draw_numbers(template.numbers, rng), cast)


def _with_aside(question: str, cast: _Cast) -> str:
    """Put an aside before a sentence that stands alone. No template has an abbreviation: mark and space end one."""
    sentences = re.split(r"(?<=[.?]) ", question)
    inside = [i for i, sentence in enumerate(sentences) if i > 0 and not _LEANS.search(sentence)]
    place = cast.rng.choice(inside) if inside and cast.rng.random() < 0.75 else 0
    sentences.insert(place, draw_aside(cast.words, cast.rng, cast.share, cast.drawn))
    return " ".join(sentences)


_SUMS = (
    ("x:2..199 y:2..99", "x+y=r", "+"),
    ("x:10..199 y:2..x-1", "x-y=r", "-"),
    ("x:13..199 r:1..12 y=x-r", "x-y=r", "-"),  # small differences of large numbers were the last to be learned
    ("x:2..30 y:2..15", "x*y=r", "*"),
    ("y:2..12 k:2..20 x=y*k", "x/y=r", "/"),
)


def _drill(rng: random.Random) -> tuple[str, str]:
    """A few bare sums, so that arithmetic is learned apart from the stories: what the small models find hardest."""
    asked, worked, result = [], [], Fraction(0)
    for _ in range(DRILL_LENGTH):
        numbers, step, sign = rng.choice(_SUMS)
        values = _draw_numbers(numbers, rng)
        equation, result = _work(step, values)
        asked.append(f"{show(values['x'])} {sign} {show(values['y'])}")
        worked.append(equation)
    return f"Work out {', '.join(asked)}.", _answer(worked, result)


def problems_of(
    split: str, templates: tuple[Template, ...], words: Lexicon, n: int, seed: int, held_out: bool = True
) -> list[Problem]:
    """`n` clean problems, with held-out numbers or without any, no question twice. Ids are `mini-<split>-<number>`.

    Every template comes once before any comes again, in an order of its own each time, so the first ones are a fair
    sample.
    """
    problems: list[Problem] = []
    questions: set[str] = set()
    order: list[Template] = []
    rng = random.Random(f"mini {split} {seed}")
    while len(problems) < n:
        if not order:
            order = rng.sample(templates, len(templates))
        question, answer, _ = _instance(order[-1], words, rng, held_out)
        if question not in questions:
            order.pop()
            questions.add(question)
            problems.append(Problem(f"mini-{split}-{len(problems):05d}", question, answer))
    return problems


def training_stream(seed: int, aside_share: float = ASIDE_SHARE) -> Iterator[Problem]:
    """Endless training problems: templates, drills and asides in the shares above, no worked answer held out."""
    for number in itertools.count():
        rng = random.Random(f"mini train {seed} {number}")
        if rng.random() < DRILL_SHARE:
            question, answer = _drill(rng)
        else:
            question, answer, cast = _instance(rng.choice(TEMPLATES), SEEN, rng, False, MADE_UP_SHARE)
            if rng.random() < aside_share:
                question = _with_aside(question, cast)
        yield Problem(f"mini-train-{number:06d}", question, answer)


def new_templates(n: int, seed: int) -> list[Problem]:
    """`n` problems of the templates that training never holds."""
    return problems_of("new-templates", NEW_TEMPLATES, SEEN, n, seed)


def new_templates_to_train_on(n: int, seed: int) -> list[Problem]:
    """`n` problems of the same templates, without a worked answer that `new_templates` has."""
    return problems_of("new-templates-train", NEW_TEMPLATES, SEEN, n, seed, held_out=False)


def new_names(n: int, seed: int) -> list[Problem]:
    """`n` problems of the trained templates with names, things and numbers that training never holds."""
    return problems_of("new-names", TEMPLATES, HELD_OUT, n, seed)


def familiar(n: int, seed: int) -> list[Problem]:
    """`n` problems of the trained templates, names and things with numbers that training never holds."""
    return problems_of("test", TEMPLATES, SEEN, n, seed)

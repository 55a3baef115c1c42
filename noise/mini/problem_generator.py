"""Generate problems from templates, with one seeded draw for each problem of the training stream."""

from __future__ import annotations

import itertools
import random
import re
import zlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache

from noise.mini.mini_vocabulary import HELD_OUT, MADE_UP, SEEN, Vocabulary, plural
from noise.mini.neutral_sentences import JOINS, NEUTRAL_SENTENCES, OPENERS
from noise.mini.problem_templates import NEW_TEMPLATES, TEMPLATES, Template
from noise.mini.training_distractors import TRAINING_DISTRACTORS
from noise.problems.problem import Problem

#: Shares of the training text, as probabilities for each problem, and the number of sums in a drill.
DISTRACTOR_SHARE = 0.10
NEUTRAL_SHARE = 0.50
DRILL_SHARE = 0.20
MADE_UP_SHARE = 0.40
KIND_SHARE = 0.30
DRILL_LENGTH = 5
#: A story with neutral sentences has one to this many, each number as likely as another.
MOST_NEUTRAL_SENTENCES = 4
#: Shares of neutral sentences, as probabilities for each.
OPENER_SHARE = 0.15
JOIN_SHARE = 0.25
#: One in this many worked answers is held out: test splits have only these, and training has none of them.
HELD_OUT_EVERY = 5

_ALTERNATIVES = re.compile(r"\[(?:(\w)=)?([^\]]*)\]")
#: Words by which a sentence refers to the one before it, so that nothing may be inserted between the two.
_REFERS_BACK = re.compile(
    r"\b(?:he|she|his|her|him|it|its|they|them|each|every|one|then|next|later|there|that|a pack)\b", re.IGNORECASE
)
_SLOT = re.compile(r"\{([A-Za-z])(1?)(?:\.(\w+))?\}")
#: Slot to (word, whether it is a woman's name).
_CastWords = dict[str, tuple[str, bool]]
_WOMAN = {"he": "she", "his": "her", "him": "her", "He": "She", "His": "Her"}


def _draw_numbers(spec: str, rng: random.Random) -> dict[str, Fraction]:
    """Return the values of a spec such as `x:2..9 t=x*3`. `eval` sees only the expressions of this package."""
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


def format_number(value: Fraction) -> str:
    """Return a number as worked answers write it: a whole number where it is one, else a decimal."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def _worked_step(step: str, values: dict[str, Fraction]) -> tuple[str, Fraction]:
    """Return a step such as `x+y=s` as written, `48+24=72`, and its result, which is added to `values`."""
    expression, _, name = step.partition("=")
    values[name] = _evaluate(expression, values)
    written = re.sub(r"[a-z]", lambda match: format_number(values[match[0]]), expression)
    return f"{written}={format_number(values[name])}", values[name]


def _answer(equations: list[str], result: Fraction) -> str:
    """Return the worked answer: one equation a line, then GSM8K's last line."""
    return "\n".join([*equations, f"#### {format_number(result)}"])


class _Cast:
    """The people and things of one problem, each drawn at the first use of its slot, all different."""

    def __init__(self, vocabulary: Vocabulary, rng: random.Random, made_up_share: float):
        self.vocabulary, self.rng, self.made_up_share = vocabulary, rng, made_up_share
        self.words: _CastWords = {}

    def _draw_vocabulary(self) -> Vocabulary:
        return MADE_UP if self.rng.random() < self.made_up_share else self.vocabulary

    def word(self, slot: str) -> tuple[str, bool]:
        """Return the word of a slot, and whether it is a woman's name."""
        while slot not in self.words:
            woman = self.rng.random() < 0.5
            vocabulary = self._draw_vocabulary()
            if slot.isupper():
                word = self.rng.choice(vocabulary.women if woman else vocabulary.men)
            else:
                word = self.rng.choice(vocabulary.things)
                if self.rng.random() < KIND_SHARE:
                    word = f"{self.rng.choice(vocabulary.kinds)} {word}"
            if all(word != other for other, _ in self.words.values()):
                self.words[slot] = word, woman
        return self.words[slot]


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
            return format_number(values[name])
        word, woman = cast.word(name)
        if form:
            return _WOMAN[form] if woman else form
        return word if name.isupper() or singular else plural(word)

    return _SLOT.sub(slot, text)


def is_held_out(answer: str) -> bool:
    """Return whether a worked answer belongs to the test splits, by its text alone."""
    return zlib.crc32(answer.encode()) % HELD_OUT_EVERY == 0


def draw_numbers(template: Template, rng: random.Random, held_out: bool | None) -> tuple[dict[str, Fraction], str]:
    """Return a template's values and worked answer, drawn until the answer is `held_out` or not; `None` takes any."""
    while True:
        values = _draw_numbers(template.numbers, rng)
        worked = [_worked_step(step, values) for step in template.steps.split()]
        answer = _answer([equation for equation, _ in worked], worked[-1][1])
        if held_out is None or is_held_out(answer) == held_out:
            return values, answer


def _instance(
    template: Template, words: Vocabulary, rng: random.Random, held_out: bool, made_up_share: float = 0.0
) -> tuple[str, str, _Cast]:
    values, answer = draw_numbers(template, rng, held_out)
    cast = _Cast(words, rng, made_up_share)
    return _fill(template.text, values, cast), answer, cast


def draw_training_distractor(
    words: Vocabulary, rng: random.Random, made_up_share: float = 0.0, used: _CastWords | None = None
) -> str:
    """Return one irrelevant sentence, about other people and things than those that are `used`."""
    template = rng.choice(TRAINING_DISTRACTORS)
    cast = _Cast(words, rng, made_up_share)
    cast.words = {f"problem {slot}": word for slot, word in (used or {}).items()}
    return _fill(template.text, _draw_numbers(template.numbers, rng), cast)


def _with_distractor(question: str, cast: _Cast) -> str:
    """Insert a distractor before a self-contained sentence. Without abbreviations, every `. ` ends a sentence."""
    sentences = re.split(r"(?<=[.?]) ", question)
    candidates = [i for i, sentence in enumerate(sentences) if i > 0 and not _REFERS_BACK.search(sentence)]
    position = cast.rng.choice(candidates) if candidates and cast.rng.random() < 0.75 else 0
    sentences.insert(position, draw_training_distractor(cast.vocabulary, cast.rng, cast.made_up_share, cast.words))
    return " ".join(sentences)


def draw_neutral_sentence(words: Vocabulary, rng: random.Random, made_up_share: float, used: _CastWords) -> str:
    """Return a sentence that names nobody and counts nothing, about other things than those that are `used`."""
    cast = _Cast(words, rng, made_up_share)
    cast.words = {f"problem {slot}": word for slot, word in used.items()}
    text = rng.choice(NEUTRAL_SENTENCES)
    if rng.random() < OPENER_SHARE:
        text = f"{rng.choice(OPENERS)}, {_uncapitalised(text)}"
    if rng.random() < JOIN_SHARE:
        text = text.removesuffix(".") + rng.choice(JOINS) + _uncapitalised(rng.choice(NEUTRAL_SENTENCES))
    sentence = _fill(text, {}, cast)
    return sentence[0].upper() + sentence[1:]


def _uncapitalised(text: str) -> str:
    """Return a template with small first letters, those of its alternatives included."""
    if not text.startswith("["):
        return text[0].lower() + text[1:]
    wordings, bracket, rest = text[1:].partition("]")
    return "[" + "|".join(wording[0].lower() + wording[1:] for wording in wordings.split("|")) + bracket + rest


def _with_neutral_sentences(question: str, cast: _Cast, rng: random.Random) -> str:
    """Insert neutral sentences, each before any sentence of the question, as noise may stand before any."""
    sentences = re.split(r"(?<=[.?]) ", question)
    for _ in range(rng.randint(1, MOST_NEUTRAL_SENTENCES)):
        sentence = draw_neutral_sentence(cast.vocabulary, rng, cast.made_up_share, cast.words)
        sentences.insert(rng.randrange(len(sentences)), sentence)
    return " ".join(sentences)


_SUMS = (
    ("x:2..199 y:2..99", "x+y=r", "+"),
    ("x:10..199 y:2..x-1", "x-y=r", "-"),
    ("x:13..199 r:1..12 y=x-r", "x-y=r", "-"),  # small differences of large numbers are learned last
    ("x:2..30 y:2..15", "x*y=r", "*"),
    ("y:2..12 k:2..20 x=y*k", "x/y=r", "/"),
)


def _drill(rng: random.Random) -> tuple[str, str]:
    """Return a question of bare sums and its answer: arithmetic is what the small models find hardest."""
    sums, equations, result = [], [], Fraction(0)
    for _ in range(DRILL_LENGTH):
        numbers, step, sign = rng.choice(_SUMS)
        values = _draw_numbers(numbers, rng)
        equation, result = _worked_step(step, values)
        sums.append(f"{format_number(values['x'])} {sign} {format_number(values['y'])}")
        equations.append(equation)
    return f"Work out {', '.join(sums)}.", _answer(equations, result)


def problems_of(
    split: str, templates: tuple[Template, ...], words: Vocabulary, n: int, seed: int, held_out: bool = True
) -> list[Problem]:
    """Return `n` different clean problems, with held-out worked answers or without any.

    Ids are `mini-<split>-<number>`. Templates are used in rounds, each in a random order, so the first problems are a
    fair sample.
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


def training_stream(
    seed: int, distractor_share: float = DISTRACTOR_SHARE, neutral_share: float = NEUTRAL_SHARE
) -> Iterator[Problem]:
    """Yield endless training problems, no answer held out: drills, and stories with distractors and neutral sentences.

    The shares of stories with either are given; the other shares are those above.
    """
    for number in itertools.count():
        rng = random.Random(f"mini train {seed} {number}")
        if rng.random() < DRILL_SHARE:
            question, answer = _drill(rng)
        else:
            question, answer, cast = _instance(rng.choice(TEMPLATES), SEEN, rng, False, MADE_UP_SHARE)
            if rng.random() < distractor_share:
                question = _with_distractor(question, cast)
            neutral = random.Random(f"mini neutral {seed} {number}")  # so that no share changes another draw
            if neutral.random() < neutral_share:
                question = _with_neutral_sentences(question, cast, neutral)
        yield Problem(f"mini-train-{number:06d}", question, answer)


def new_templates(n: int, seed: int) -> list[Problem]:
    """Return `n` problems of the templates that training never has."""
    return problems_of("new-templates", NEW_TEMPLATES, SEEN, n, seed)


def new_templates_train(n: int, seed: int) -> list[Problem]:
    """Return `n` problems of the same templates, without the worked answers of `new_templates`."""
    return problems_of("new-templates-train", NEW_TEMPLATES, SEEN, n, seed, held_out=False)


def new_names(n: int, seed: int) -> list[Problem]:
    """Return `n` problems of the trained templates with names, things and worked answers that training never has."""
    return problems_of("new-names", TEMPLATES, HELD_OUT, n, seed)


def new_numbers(n: int, seed: int) -> list[Problem]:
    """Return `n` problems of the trained templates, names and things with worked answers that training never has."""
    return problems_of("test", TEMPLATES, SEEN, n, seed)

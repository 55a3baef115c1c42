"""Where a question refers back to the numbers or the sentences of its own text, as in "twice that number"."""

from __future__ import annotations

import re
from itertools import pairwise

from noise.text.sentence_splitting import sentence_starts
from noise.text.word_lists import NUMBER_WORDS, word_list
from noise.text.word_tokens import KINDS_OF_WORD

_NOTHING: frozenset[str] = frozenset()
_NUMBERS, _TEXT = frozenset(("numbers",)), frozenset(("text",))

_ONE_NUMBER = "(?:number|amount|value|sum|total|result|figure|distance|quantity)"
_NUMBERS_SAID = "(?:numbers|digits|amounts|values|sums|totals|results|figures|distances|quantities)"
_WRITING = "(?:texts?|stor(?:y|ies)|passages?|paragraphs?|problems?|questions?)"
_EARLIER = "(?:above|previous|preceding|earlier|mentioned|aforementioned|above-mentioned)"
_COUNT = r"(?:two|three|four|five|six|\d)"
_STOP = r"(?=[?.,;:!)]|$)"
_END = r"(?=[?.,;:!)]|$| (?:is|are|was|were|and|if|in)\b)"
# What may stand between a word that points and its noun. "All the tagged numbers" says which numbers are meant.
_MORE = rf"(?:(?:same|exact|last|other|very|given|{_EARLIER}|{_COUNT}) )*"
_MULTIPLE = rf"(?:twice|half|double|triple|(?:{'|'.join(sorted(NUMBER_WORDS))}|\d+) times)(?: of)?"

_ONE = re.compile(
    rf"\b(?:th(?:is|at)|{_EARLIER}) {_MORE}{_ONE_NUMBER}\b"
    rf"|\b{_MULTIPLE} th(?:is|at)(?:{_STOP}| (?:is|are|equals)\b)"
    rf"|\b{_MULTIPLE} the {_ONE_NUMBER}{_STOP}"
)
_SEVERAL = re.compile(
    rf"\b(?:(?:these|those|{_EARLIER}) {_MORE}|(?:both|all|each|any|either) (?:of )?(?:the |these |those )?{_MORE}"
    rf"|the {_COUNT} {_MORE}){_NUMBERS_SAID}\b"
    rf"|\b(?:sum|product|total|average|mean|difference)s? (?:of|between) (?:all )?(?:of )?(?:these|those){_STOP}"
    rf"|\b(?:add|sum|multiply)(?: up| all| both| of)* (?:these|those)(?:{_STOP}| (?:up|together)\b)"
    rf"|\bthe (?:numbers|digits|amounts|values|quantities){_END}|\bthe above{_END}"
)
_COUNTED = re.compile(rf"both|the {_COUNT}\b|the (?:numbers|digits|amounts|values|quantities)$")
_POINTED_AT = re.compile(
    rf"\b(?:{_NUMBERS_SAID}|{_ONE_NUMBER}) (?:that )?(?:(?:is|are|was|were|you|we|have|been|just|already) )*"
    rf"(?:(?:see|read|given|listed|said|stated|written) )?"
    rf"(?:above{_END}|given{_STOP}|mentioned\b|listed\b|stated\b|here{_END})"
)
_IN_THE_TEXT = (
    rf"(?:(?:are|is|appear|occur|stand|do|you|we|see|find|there|written|mentioned|given|used) )*"
    rf"(?:in|of|from) (?:this|that|the)(?: {_EARLIER}| whole| entire| following)* {_WRITING}\b"
)
_NUMBERS_OF_THE_TEXT = re.compile(
    rf"\b(?:{_NUMBERS_SAID}|number|amount|value|figure|quantity) (?:that )?{_IN_THE_TEXT}"
    rf"|\b(?:in|from|of) this {_WRITING}\b"
    rf"|\b(?:this (?:text|story|passage)|{_EARLIER} {_WRITING})\b"
)
_PIECES = (
    "(?:numbers|digits|words|sentences|letters|characters|lines|paragraphs|numerals|vowels|commas|full stops|periods)"
)
_PIECES_OF_THE_TEXT = re.compile(
    rf"\b(?:how many|number of|count)(?: \w+)?? {_PIECES} (?:that )?{_IN_THE_TEXT}"
    rf"|\bhow many (?:\w+ )?{_PIECES} does th(?:is|at|e)(?: whole| entire)? {_WRITING} (?:have|contain|hold|use)\b"
    rf"|\bhow many times (?:\S+ ){{1,8}}?in th(?:is|e)(?: whole| entire)? (?:text|passage|paragraph)\b"
    rf"|\bwords long is th(?:is|e) (?:text|passage)\b"
    rf"|\bhow many (?:\w+ )?{_PIECES} (?:(?:are|were|do|did|have|you|we|there|been|appear|see|read|stand) )*"
    rf"(?:above|mentioned|here|so far){_STOP}"
)
_EARLIER_SENTENCE = re.compile(
    rf"\b{_EARLIER} (?:{_COUNT} )?(?:sentence|paragraph)s?\b|\b(?:sentence|paragraph)s? (?:above|before){_END}"
)
_SENTENCE = re.compile(
    rf"\b(?:th(?:e|is|at|ese|ose)|both|all|each|every)(?: of)?(?: the| these| those)?"
    rf"(?: first| second| third| fourth| fifth| last| next| final| {_COUNT})? sentences?\b"
)
_FOLLOWING = re.compile(rf"\bfollowing {_MORE}(?:{_NUMBERS_SAID}|{_ONE_NUMBER})\b([^.?!]*)")
_FOLLOWING_SENTENCE = re.compile(rf"\bfollowing (?:{_COUNT} )?(?:sentence|paragraph)s?\b")

_NUMBER = re.compile(rf"\d|\b(?:{'|'.join(sorted(NUMBER_WORDS.keys() - {'one'}))})\b")
_QUANTITY = re.compile(rf"{_NUMBER.pattern}|\b(?:many|much|number|amount|twice|half|doubles?|triples?)\b")
_CLAUSE_ENDS = re.compile(r"[,;:]|\b(?:and|but|then|while|so)\b")
# "$500 for a licence, and three times that amount for fees"
_GOES_ON = re.compile(rf", and (?:{_MULTIPLE} )?$")
_WORD = re.compile(r"[$]|\w+")
_FIGURES = frozenset(("figure", "figures"))
_SPENT = re.compile(r"\b(?:spen(?:ds?|t|ding)|pa(?:ys?|id|ying)|earn(?:s|ed|ing)?|sav(?:es?|ed|ing)) \w+ amounts?$")
# The most characters before a reference that are looked at for the two above.
_LONGEST = 60
# A first look: any of the above has one of these words. Most questions have none.
_TELLING = frozenset(
    word_list(
        """
        this that these those above previous preceding earlier mentioned aforementioned given listed stated here far
        twice half double triple times
        numbers digits amounts values sums totals results figures distances quantities
        text texts story stories passage passages paragraph paragraphs problem problems question questions
        words sentence sentences letters characters lines numerals vowels commas stops periods
        """
    )
)
_ANY_WORD = re.compile(r"\w+")
# A closer look: most others have no noun that any of the above ends with, or no word that points.
_NOUN = re.compile(
    rf"{_NUMBERS_SAID}\b|{_ONE_NUMBER}\b|{_WRITING}\b|digits?\b|words\b|sentences?\b|letters\b|characters\b|lines\b"
    rf"|vowels\b|commas\b|full stops\b|periods\b|above\b"
    rf"|(?:of|between|twice|half|double|triple|times|add|all|both|up|sum|multiply) th"
)
_POINTER = re.compile(
    rf"(?:th(?:is|at|ese|ose)|both|all|each|any|either|here|so far|{_EARLIER})\b"
    rf"|the (?:{_COUNT}|{_NUMBERS_SAID}|{_ONE_NUMBER}|{_WRITING}|(?:\w+ )?sentence)"
)


def back_references(question: str, asking: int) -> tuple[int, frozenset[str]]:
    """Return where a sentence may be put into the question, and what the question goes on to speak of.

    `asking` is the offset of the asking sentence. That is the place, unless the question goes on with one number of its
    text, as in "twice that number": then the place is before the first sentence with a number. The question speaks of
    `numbers`, where any number of its text may be meant ("the sum of these numbers"), and of its own `text`, where any
    sentence may be ("how many words are in this text"). Nothing is raised, whatever the text.
    """
    follows = "ollowing" in question
    if not follows and _TELLING.isdisjoint(_ANY_WORD.findall(question[asking:].lower())):
        return asking, _NOTHING
    tail = _plain(question[asking:])
    if not follows and not (_NOUN.search(tail) and _POINTER.search(tail)):
        return asking, _NOTHING
    body = _plain(question[:asking])
    if _speaks_of_its_text(body, tail):
        return asking, _TEXT
    money = "amount" in tail and _speaks_of_money(tail)
    if _speaks_of_its_numbers(body, tail, money):
        return asking, _NUMBERS
    if not _ONE.search(tail):
        return asking, _NOTHING
    starts = sentence_starts(question)
    sentences = [_plain(question[start:stop]) for start, stop in pairwise([*starts, len(question)])]
    first = next((start for start, text in zip(starts, sentences, strict=True) if _NUMBER.search(text)), len(question))
    point = asking
    for start, sentence in zip(starts, sentences, strict=True):
        reference = _open_reference(sentence, money) if start >= asking else None
        if reference is not None and first < start:
            point = min(point, first)
        elif reference is not None and not _said_in_an_earlier_clause(sentence[: reference.start()]):
            return asking, _NUMBERS
    return point, _NOTHING


def _plain(text: str) -> str:
    """Return the text in lower case, with single spaces and straight apostrophes."""
    return " ".join(text.lower().replace("’", "'").split())


def _open_reference(sentence: str, money: bool) -> re.Match[str] | None:
    """Return the first reference to one number that was not said just before, in the same sentence."""
    for reference in _ONE.finditer(sentence):
        goes_on = _GOES_ON.search(sentence, max(0, reference.start() - _LONGEST), reference.start())
        if goes_on and _NUMBER.search(sentence, 0, goes_on.start()):
            continue
        if not (money and _is_spent(reference)):
            return reference
    return None


def _is_spent(reference: re.Match[str]) -> bool:
    """Return whether "spent those amounts" says what they are."""
    return _SPENT.search(reference.string, max(0, reference.end() - _LONGEST), reference.end()) is not None


def _speaks_of_money(tail: str) -> bool:
    """Return whether no distractor with an amount of money is certified."""
    return any("money" in KINDS_OF_WORD.get(word, ()) for word in _WORD.findall(tail))


def _speaks_of_its_text(body: str, tail: str) -> bool:
    if _EARLIER_SENTENCE.search(tail) or _FOLLOWING_SENTENCE.search(body):
        return True
    counted = _PIECES_OF_THE_TEXT.search(tail)
    if counted and not _is_told_of(_WRITING, body, tail):
        return True
    return _SENTENCE.search(tail) is not None and not _is_told_of("sentenc(?:es?|ed|ing)", body, tail)


def _speaks_of_its_numbers(body: str, tail: str, money: bool) -> bool:
    words = frozenset(_WORD.findall(body))
    for reference in _SEVERAL.finditer(tail):
        # "The two numbers" are those that were called numbers, and "all the figures" may be toys.
        noun = reference.group().rpartition(" ")[2]
        known = (_COUNTED.match(reference.group()) and noun in words) or (noun == "figures" and _FIGURES & words)
        if not known and not (money and _is_spent(reference)):
            return True
    if _NUMBERS_OF_THE_TEXT.search(tail) and not _is_told_of(_WRITING, body, tail):
        return True
    following = [*_FOLLOWING.finditer(body), *_FOLLOWING.finditer(tail)]
    return _POINTED_AT.search(tail) is not None or any(not _NUMBER.search(match[1]) for match in following)


def _is_told_of(noun: str, body: str, tail: str) -> bool:
    """Return whether the problem has such a thing: "Tom writes a story" before "the words of the story"."""
    introduced = rf"\b(?:an?|his|her|their|my|per|\w+'s) (?:\w+ )?{noun}\b"
    return re.search(rf"\b{noun}\b", body) is not None or re.search(introduced, tail) is not None


def _said_in_an_earlier_clause(earlier: str) -> bool:
    """Return whether a quantity was said in a clause that ended before the reference."""
    quantity = _QUANTITY.search(earlier)
    return quantity is not None and _CLAUSE_ENDS.search(earlier, quantity.end()) is not None

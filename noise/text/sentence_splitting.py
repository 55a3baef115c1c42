"""Split a question into sentences, and find the insertion point of distractors."""

from __future__ import annotations

import re
from collections.abc import Iterator

from noise.text.word_lists import word_list

# A full stop after one of these belongs to the word. Titles are always followed by a name.
_TITLES = frozenset(
    word_list("mr mrs ms mx dr st mt ft prof rev gen col capt lt sgt gov sen rep hon pres no nos vs approx fig")
)
# A full stop after one of these may also end the sentence; the next word decides.
_SHORT = frozenset(
    word_list(
        """
        a.m p.m am pm u.s u.k u.s.a d.c ph.d b.a m.a etc e.g i.e jr sr inc co corp ltd ave blvd rd oz lb lbs ft in
        hr hrs min mins sec secs yd yds mi cm mm km kg sq cu tbsp tsp qt pt gal mo wk wks yr yrs vol pg pp
        """
    )
)
# Abbreviations only with a capital: "Sun." is a day, "sun" is not.
_DATES = frozenset(
    word_list("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun")
)
_UNITS = frozenset(
    word_list("oz lb lbs ft in hr hrs min mins sec secs yd yds mi cm mm km kg sq tbsp tsp qt pt gal yr yrs wk wks")
)
# Words that open a sentence but hardly ever follow an abbreviation inside one.
_OPENERS = frozenset(
    word_list(
        """
        how what when where which who whose why if the a an he she it they there this that these those his her their
        its in on at after before then each every one two some all both so but and for to from with during while
        since because later today yesterday tomorrow calculate find assume assuming suppose given
        """
    )
)
# A mark, closing quotes and brackets, then white space, or a capital where the space is missing. The pattern opens with
# one set of characters, so that the search skips others quickly.
_CLOSING = r"[\"'”’)\]»]*(?:(?=\s)|(?=[A-Z][a-z])|$)"
_BREAKS, _WIDE = r"\n\r\u2028\u2029", "。？！"
_MARK = re.compile(
    rf"[….?!{_BREAKS}{_WIDE}]"
    rf"(?:(?<=…){_CLOSING}|(?<=[.?!])[.?!]*{_CLOSING}|(?<=[{_BREAKS}])[{_BREAKS}]*|(?<=[{_WIDE}])[{_WIDE}]*)"
)
# No sentence ends inside a quotation or a bracket. An inch mark (`5"`) opens no quotation.
_ENCLOSED = re.compile(r"(?<![^\s(])\"[^\"]*\"|“[^”]*”|\([^()]*\)|«[^»]*»")
_UP_TO_WORD = re.compile(r".*[\s\"'“”‘’(\[]", re.DOTALL)
_DOTTED = re.compile(r"(?:\w\.)+\w")
_FIRST_WORD = re.compile(r"[\w'’]+")
_NUMBERED = re.compile(r"(?:^|[\n\r])[ \t]*[(]?(?:\d{1,2}|[A-Za-z])$")
_LISTED = re.compile(r"[.?!]\s+[(]?\d{1,2}$")
#: What a question asks with. "Do you know?" asks for nothing that a problem could give.
_ASKS = re.compile(
    r"\b(?:how|what|what's|which|who|whose|whom|where|when|why|find|calculate|compute|determine|number|is|are|was|"
    r"were|does|did|will|would|has|have)\b",
    re.I,
)
_CHATS = re.compile(r"\b(?:do|can|could|will|would|did) you\b", re.I)
_SAYS = re.compile(
    r"(?:he|she|they|it|i|we|[A-Z]\w*)?\s*(?:said|says|asked|asks|cried|cries|replied|shouted|whispered)\b"
)


def _ends_here(text: str, mark: re.Match[str]) -> bool:
    """Return whether a sentence ends at `mark` and text follows."""
    mark_text = mark.group()
    after = text[mark.end() :].lstrip()
    if not after:
        return False
    if mark_text[0] in "\n\r\u2028\u2029。？！":
        return True
    follows = after.lstrip("\"'“‘([«")[:1]
    quoted = mark_text[-1] in "\"'”’»)"
    if quoted and (follows.islower() or _SAYS.match(after)):
        return False
    if mark_text[0] in "?!":
        return True
    glued = not text[mark.end()].isspace()
    if mark_text.startswith(("..", "…")):
        return follows.isupper() or follows.isdecimal()
    at = mark.start()
    before_word = _UP_TO_WORD.match(text, max(0, at - 30), at)
    word = text[before_word.end() if before_word else max(0, at - 30) : at]
    if len(word) <= 2 and (not text[:at].strip() or _NUMBERED.search(text[:at]) or _LISTED.search(text[:at])):
        return False  # the number of a list: "1. Tom has two cats. 2. Ann has one."
    plain = word.lower()
    if glued:
        # "apples.How": a forgotten space. "Node.Js" or "A.B" is not.
        return len(plain) > 2 and "." not in plain and plain.isalpha() and text[mark.end() : mark.end() + 2].istitle()
    initial = len(plain) == 1 and plain.isalpha() and word.isupper()
    title = plain in _TITLES
    if not (title or initial or plain in _SHORT or word in _DATES or ("." in plain and _DOTTED.fullmatch(plain))):
        return True
    first = _FIRST_WORD.match(after.lstrip("\"'“‘([«"))
    opener = first is not None and first.group()[0].isupper() and first.group().lower() in _OPENERS
    if title:
        return opener and plain in ("ft", "no", "st", "mt") and not (plain == "no" and follows.isdecimal())
    if follows.islower():
        return False
    # "at 5 p.m. Tina left" ends; "the U.S. Navy" and "J. Smith" do not.
    times = plain in ("a.m", "p.m", "am", "pm", "ph.d") or plain in _UNITS
    return opener or (times and follows.isupper())


def _starts_backwards(text: str) -> Iterator[int]:
    """Yield the offsets of `sentence_starts` in reverse, with possible duplicates."""
    opens = "(" in text or '"' in text or "“" in text or "«" in text
    enclosed = [m.span() for m in _ENCLOSED.finditer(text)] if opens else []
    for mark in reversed([*_MARK.finditer(text)]):
        end = mark.end()
        inside = enclosed and any(start < end < stop for start, stop in enclosed)
        if not inside and _ends_here(text, mark):
            yield len(text) - len(text[end:].lstrip())
    lead = len(text) - len(text.lstrip())
    yield lead if lead < len(text) else 0


def sentence_starts(text: str) -> list[int]:
    """Return the offsets at which sentences begin, the first included; `[0]` for an empty text.

    A sentence ends at `.`, `?`, `!`, an ellipsis or a line break, after any closing quotes and brackets. It does not
    end inside a number, an abbreviation, a title, initials, or a quotation after which it goes on (`"Stop!" she said`).
    """
    return sorted({*_starts_backwards(text)})


def insertion_point(text: str) -> int:
    """Return the offset at which distractors are inserted: the start of the asking sentence.

    The asking sentence is the last with a question mark, or the last of all where there is none; a question such as
    "Do you know?" stays behind the one that it follows. A note after it
    (`There are 16 ounces in a pound.`) stays after it.
    """
    last, end, chat = -1, len(text), -1
    for begin in _starts_backwards(text):
        if text.find("?", begin, end) >= 0:
            if not _only_chats(text[begin:end]):
                return begin
            chat = begin if chat < 0 else chat
        elif chat >= 0:
            return chat
        last, end = (begin if last < 0 else last), begin
    return last if chat < 0 else chat


def _only_chats(question: str) -> bool:
    """Return whether a question asks the reader for nothing of the problem: "Do you know?"."""
    if "you" not in question.lower():  # most questions
        return False
    return _CHATS.search(question) is not None and _ASKS.search(_CHATS.sub("", question)) is None

"""Put what a noisy text adds into the clean text, to the character, where the two differ in white space too."""

from __future__ import annotations

from noise.problems.infer_distractor_spans import insertions

Spans = tuple[tuple[int, int], ...]


def placed_insertions(original: str, noisy: str) -> tuple[str, Spans] | None:
    """Return a noisy text and the spans whose deletion gives exactly `original`; None where `noisy` is no insertion.

    The text is `noisy` itself where it is `original` with insertions. Where the two differ in white space besides, it
    has the words of `noisy` and, outside the spans, the white space of `original`: so a clean and a noisy question
    differ in the distractor alone.
    """
    exact = insertions(original, noisy)
    if exact is not None and all(noisy[start:stop].strip() for start, stop in exact):  # more space is no distractor
        return noisy, exact
    plain_original, plain_noisy = " ".join(original.split()), " ".join(noisy.split())
    spans = insertions(plain_original, plain_noisy)
    if spans is None:
        return None
    offsets = _offsets(original)
    text, placed, kept, end = "", list[tuple[int, int]](), 0, 0
    last = 0
    for start, stop in spans:
        kept += start - end
        text += original[last : offsets[kept]]
        last, end = offsets[kept], stop
        placed.append((len(text), len(text) + stop - start))
        text += plain_noisy[start:stop]
    return text + original[last:], tuple(placed)


def _offsets(text: str) -> list[int]:
    """Return, for each offset of `" ".join(text.split())` and for its end, the offset in `text` that it is from.

    The offset behind a space is that of the word which follows, so that white space goes with what stands before it.
    """
    offsets, at = list[int](), 0
    for number, word in enumerate(text.split()):
        start = text.index(word, at)
        if number:
            offsets.append(at)  # the space
        offsets += range(start, start + len(word))
        at = start + len(word)
    return [*offsets, at]

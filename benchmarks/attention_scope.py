"""What the stage `attention` measures: the queries, layers and heads. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from noise.unknown_name import unknown_name

#: Whose attention is measured: of the tokens of the worked answer, of the last token of the prompt, or of all of it.
QUERIES = ("answer", "last", "all")


@dataclass(frozen=True)
class AttentionScope:
    """The queries, layers and heads that attention is measured over; numbers count from 0, None is all of them."""

    queries: str = QUERIES[0]
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError`, with the nearest name, for unknown queries."""
        if self.queries not in QUERIES:
            raise ValueError(unknown_name("queries", self.queries, QUERIES))

    def __str__(self) -> str:
        """In words, as it stands in the key of a reading."""
        layers, heads = (
            "all" if numbers is None else ",".join(map(str, numbers)) for numbers in (self.layers, self.heads)
        )
        return f"queries {self.queries}; layers {layers}; heads {heads}"

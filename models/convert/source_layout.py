"""What there is to say of a layout: the names of its tensors, and how its configuration is read. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.convert.conversion_errors import ConversionError
from models.convert.decoder_shape import LAMBDAS, DecoderShape


@dataclass(frozen=True)
class SourceTensors:
    """The tensors of the model in a file: their shapes, by their names in its layout."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def differential(self) -> bool:
        """Whether any tensor belongs to differential attention alone."""
        return any(name.endswith(LAMBDAS) or ".subln." in name for name in self.shapes)

    def layer_count(self, prefix: str) -> int:
        """Return the number of layers, whose names begin with `prefix` and their number from 0.

        Raises `ConversionError` where there is none, or where one between is missing.
        """
        matches = (re.match(rf"{re.escape(prefix)}(0|[1-9]\d{{0,5}})\.", name) for name in self.shapes)
        numbers = {int(match[1]) for match in matches if match}
        missing = next(number for number in range(len(numbers) + 1) if number not in numbers)
        if not numbers or missing < len(numbers):
            raise ConversionError(f"{self.path} has no tensor of layer {missing} ({prefix}{missing}.)")
        return len(numbers)

    def rows_and_columns(self, name: str) -> tuple[int, int]:
        """Return the shape of a matrix. Raises `ConversionError` where it is missing, empty or none."""
        size = self.shapes.get(name)
        if size is None:
            raise ConversionError(f"{self.path} lacks {name}")
        if len(size) != 2 or 0 in size:
            raise ConversionError(f"{self.path}: expected {name} to be a matrix, got the shape {list(size)}")
        return size[0], size[1]


@dataclass(frozen=True)
class Layout:
    """A layout of checkpoints.

    `outer_names` and `layer_names` give each tensor's name in this layout by its name in transformers; those of a layer
    stand behind `layer_prefix` and the layer's number from 0. `read_shape` makes the shape of the decoder of the
    tensors and of the configuration, its path and content. A file may begin all names with `optional_prefix`; what
    begins with `left_out` is no part of the model. `tokenizer` says which tokenizer the published checkpoints of this
    layout have; empty where there are none.
    """

    name: str
    outer_names: Mapping[str, str]
    layer_names: Mapping[str, str]
    layer_prefix: str
    read_shape: Callable[[SourceTensors, Path, Mapping[str, Any]], DecoderShape]
    optional_prefix: str = ""
    left_out: str = ""
    tokenizer: str = ""

    def parameters(self, names: Iterable[str]) -> dict[str, str]:
        """Return the name in the file of each tensor of the model, by its name in this layout."""
        kept = [name for name in names if not (self.left_out and name.startswith(self.left_out))]
        prefix = self.optional_prefix if any(name.startswith(self.optional_prefix) for name in kept) else ""
        # In a file with the prefix, a name without it is of no tensor: it stays as no layout knows it.
        return {name.removeprefix(prefix) if name.startswith(prefix) else f"?{name}": name for name in kept}

    def is_layout_of(self, names: Iterable[str]) -> bool:
        """Return whether a file with tensors of these names is of this layout, or nearly."""
        outer = set(self.outer_names.values()) - {"lm_head.weight"}
        return any(name in outer or name.startswith(self.layer_prefix) for name in self.parameters(names))

    def expected(self, shape: DecoderShape) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return the name in this layout and the shape of each tensor, by its name in transformers."""
        tensors = {name: (self.outer_names[name], size) for name, size in shape.outer_tensors().items()}
        for layer in range(shape.layers):
            for name, size in shape.layer_tensors().items():
                source = f"{self.layer_prefix}{layer}.{self.layer_names[name]}"
                tensors[f"model.layers.{layer}.{name}"] = (source, size)
        return tensors

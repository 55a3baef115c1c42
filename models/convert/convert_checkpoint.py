"""Convert a checkpoint of another layout into a folder that transformers reads as DiffLlama or Llama."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from models.convert.authors_layout import AUTHORS
from models.convert.config_fields import read_config
from models.convert.conversion_errors import ConversionError
from models.convert.decoder_shape import DecoderShape
from models.convert.mlx_layout import MLX
from models.convert.reorder_attention import grouped_keys_of, reordered_attention
from models.convert.source_layout import Layout, SourceTensors
from models.convert.write_converted import check_free, write_converted

#: By name. The command's option has the same names (`models/commands/convert_command.py`).
LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (MLX, AUTHORS)}
_FLOATS = ("F32", "BF16", "F16")


@dataclass(frozen=True)
class Conversion:
    """What was written: the folder, the class in transformers, its number of parameters, and what is missing in it.

    `left_out` is the number of tensors that are no part of the model, such as an optimiser's.
    """

    folder: Path
    architecture: str
    parameters: int
    layout: Layout
    left_out: int
    has_tokenizer: bool


def convert(
    source: Path,
    out: Path,
    layout: str | None = None,
    config: Path | None = None,
    tokenizer: Path | None = None,
    grouped_keys: str | None = None,
) -> Conversion:
    """Convert the checkpoint `source` and write it to `out`, with weights in float32.

    `source`: a safetensors file, or a folder with one. `layout`: a name in `LAYOUTS`; None to tell it by the names of
    the tensors. `config`: the configuration; None for `config.json` beside the weights or a folder above. `tokenizer`:
    a folder whose tokenizer is copied. `grouped_keys`: see `models.convert.reorder_attention`.

    Nothing stays in `out` if anything fails, and nothing there is replaced. Raises `ConversionError`,
    `CheckpointDamaged` for weights that are not finite and for an unusable tokenizer, and `OSError`.
    """
    check_free(out)
    path = _weights_file(source)
    with _opened(path) as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in list(file.keys())}
        chosen = LAYOUTS[layout] if layout else _layout_of(path, shapes)
        in_file = chosen.parameters(shapes)
        tensors = SourceTensors(path, {name: shapes[in_file[name]] for name in in_file})
        shape = chosen.read_shape(tensors, *read_config(path, config))
        expected = chosen.expected(shape)
        _check_names(path, chosen, [name for name, _ in expected.values()], in_file)
        for name, size in expected.values():
            _check_tensor(path, in_file[name], size, shapes[in_file[name]], file.get_slice(in_file[name]).get_dtype())
        grouped = grouped_keys_of(shape, grouped_keys)
        stored = {name: file.get_tensor(in_file[source_name]).float() for name, (source_name, _) in expected.items()}
    weights, shape = _to_transformers(stored, shape, grouped)
    architecture, parameters = write_converted(weights, shape, path, out, tokenizer)
    left_out = len(shapes) - len(in_file)
    return Conversion(out, architecture, parameters, chosen, left_out, tokenizer is not None)


def _weights_file(source: Path) -> Path:
    if source.is_dir():
        files = sorted(source.glob("*.safetensors"))
        if len(files) != 1:
            names = ", ".join(path.name for path in files[:3]) or "none"
            raise ConversionError(f"{source}: expected one .safetensors file in the folder, got {names}; name the file")
        return files[0]
    if not source.is_file():
        raise ConversionError(f"there is no {source}; expected a .safetensors file or a folder with one")
    return source


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise ConversionError(f"{path}: not a complete safetensors file ({error!s:.120})") from error


def _layout_of(path: Path, names: Collection[str]) -> Layout:
    layout = next((layout for layout in LAYOUTS.values() if layout.is_layout_of(names)), None)
    if layout is None:
        first = ", ".join(sorted(names)[:3]) or "no tensor"
        raise ConversionError(f"{path} is of no known layout ({', '.join(LAYOUTS)}): it has {first}")
    return layout


def _check_names(path: Path, layout: Layout, expected: Collection[str], in_file: Mapping[str, str]) -> None:
    """Check that the file has every tensor that the layout expects, and no other."""
    missing = sorted(set(expected) - set(in_file))
    unknown = sorted(in_file[name] for name in set(in_file) - set(expected))
    kinds = (("lacks the tensor", missing), ("has the unknown tensor", unknown))
    parts = [f"{verb} {_listed(names)}" for verb, names in kinds if names]
    if parts:
        raise ConversionError(f"{path} is not of the layout {layout.name}: it {' and '.join(parts)}")


def _check_tensor(path: Path, name: str, expected: tuple[int, ...], size: tuple[int, ...], dtype: str) -> None:
    if size != expected:
        raise ConversionError(f"{path}: expected {name} to have the shape {list(expected)}, got {list(size)}")
    if dtype not in _FLOATS:
        raise ConversionError(f"{path}: expected {name} to be one of {', '.join(_FLOATS)}, got {dtype}")


def _to_transformers(
    stored: Mapping[str, torch.Tensor], shape: DecoderShape, grouped_keys: str | None
) -> tuple[dict[str, torch.Tensor], DecoderShape]:
    """Return the tensors as transformers orders them, by the names there, and the shape that they have then."""
    weights = {name: stored[name] for name in shape.outer_tensors()}
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}."
        tensors = {name: stored[prefix + name] for name in shape.layer_tensors()}
        reordered = reordered_attention(tensors, shape, grouped_keys)
        weights |= {prefix + name: tensor for name, tensor in reordered.items()}
    return weights, replace(shape, kv_heads=shape.heads) if grouped_keys == "diffattn" else shape


def _listed(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1:,} more" if len(names) > 1 else names[0]

"""A Python file of the user that describes an architecture which is not known here (`--adapter`).

It appends to `models.attention.subtraction_registry.SUBTRACTIONS`, or registers a configuration and a model with
transformers. It is run once in each process, before the first checkpoint is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

from models.loading.load_errors import LoadError


class ArchitectureFileError(LoadError):
    """The file cannot be read, or raises an exception."""


def run_architecture_file(path: str) -> None:
    """Run a file unless this process has run it, with the same content, before; nothing for an empty path.

    Its module stays importable, as transformers looks classes up in their modules. Raises `ArchitectureFileError`.
    """
    if not path:
        return
    name = f"architecture_{architecture_digest(path)[:12]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ArchitectureFileError(f"{path}: expected a Python file that describes an architecture, as in my_model.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the file is its author's
        del sys.modules[name]
        raise ArchitectureFileError(
            f"{path}, which describes an architecture: {type(error).__name__}: {error}"
        ) from error


def architecture_digest(path: str) -> str:
    """Return the SHA-256 (hex) of the file. Raises `ArchitectureFileError`."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ArchitectureFileError(f"{path}, which describes an architecture: {error.strerror}") from None

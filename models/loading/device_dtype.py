"""The device and the precision that a model is loaded on."""

from __future__ import annotations

import torch

from models.loading.load_errors import DeviceError, DtypeError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_device(device: str) -> torch.device:
    """Return the torch device of a name. `auto` is CUDA, then MPS, then the CPU. Raises `DeviceError`."""
    if device != "auto":
        try:
            return torch.device(device)
        except RuntimeError as error:
            expected = "auto, cpu, cuda, cuda:N or mps, or another device of torch"
            raise DeviceError(f"device={device!r}: expected {expected}") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def resolve_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """Return the torch dtype of a name. `auto` is bfloat16 if the CUDA device computes it natively, else float32.

    Raises `DtypeError`.
    """
    if dtype == "auto":
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    if dtype not in DTYPES:
        raise DtypeError(f"dtype={dtype!r}: expected auto or one of {', '.join(DTYPES)}")
    return DTYPES[dtype]

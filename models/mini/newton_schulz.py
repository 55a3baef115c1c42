"""Muon's orthogonalisation on processors that cannot multiply in bfloat16.

torch rounds every product of the Newton-Schulz iteration (https://kellerjordan.github.io/posts/muon) to bfloat16. A
processor without instructions for it emulates each multiplication, which takes a third to a half of a miniature's
training step. Here the products are made in float32 and rounded to bfloat16, so that the numbers are the same but for
the order of sums.
"""

from __future__ import annotations

import torch


def orthogonalised(
    gradient: torch.Tensor, coefficients: tuple[float, float, float], steps: int, epsilon: float
) -> torch.Tensor:
    """Return `gradient`, (rows, columns), with its singular values moved towards 1, in bfloat16.

    Each of `steps` iterations maps X to aX + (bG + cG²)X with G = XXᵀ, where (a, b, c) are the `coefficients`.
    `epsilon` is the least norm that a matrix is divided by.
    """
    a, b, c = coefficients
    is_tall = gradient.shape[0] > gradient.shape[1]
    start = gradient.bfloat16().T if is_tall else gradient.bfloat16()
    matrix = (start / start.norm().clamp(min=epsilon)).float()
    for _ in range(steps):
        gram = _rounded(matrix @ matrix.T)
        update = _rounded(torch.addmm(gram, gram, gram, beta=b, alpha=c))
        matrix = _rounded(torch.addmm(matrix, update, matrix, beta=a))
    return (matrix.T if is_tall else matrix).bfloat16()


def _rounded(matrix: torch.Tensor) -> torch.Tensor:
    return matrix.bfloat16().float()

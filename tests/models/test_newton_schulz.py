"""Our orthogonalisation is torch's, product by product."""

from __future__ import annotations

import pytest
import torch
from torch.optim import _muon

from models.mini.newton_schulz import orthogonalised

#: What `torch.optim.Muon` passes: coefficients, steps and the least norm.
SETTINGS = ((3.4445, -4.775, 2.0315), 5, 1e-7)


@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96)])
def test_the_result_is_that_of_torch_but_for_the_rounding_of_bfloat16(shape: tuple[int, int]) -> None:
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    ours, theirs = orthogonalised(gradient, *SETTINGS), _muon._zeropower_via_newtonschulz(gradient, *SETTINGS)
    assert ours.dtype == theirs.dtype == torch.bfloat16
    assert ours.shape == shape
    assert (ours.float() - theirs.float()).abs().max() <= 0.02 * theirs.float().abs().max()


def test_singular_values_move_towards_one() -> None:
    gradient = torch.randn(48, 32, generator=torch.Generator().manual_seed(0)) @ torch.diag(torch.logspace(-1, 1, 32))
    before = torch.linalg.svdvals(gradient)
    after = torch.linalg.svdvals(orthogonalised(gradient, *SETTINGS).float())
    assert before.max() / before.min() > 50
    assert after.min() > 0.3
    assert after.max() < 1.3


def test_a_gradient_of_zeros_stays_zero() -> None:
    assert not orthogonalised(torch.zeros(4, 3), *SETTINGS).any()


def test_the_gradient_is_left_as_it_was() -> None:
    gradient = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    before = gradient.clone()
    orthogonalised(gradient, *SETTINGS)
    assert torch.equal(gradient, before)

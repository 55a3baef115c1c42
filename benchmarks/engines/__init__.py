"""The engines that ask models, one module each. No torch and no Ray here: the command line reads this."""

from __future__ import annotations

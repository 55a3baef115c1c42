"""The regression gate of a CI: baselines and the test against them."""

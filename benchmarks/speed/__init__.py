"""How fast the harness is, how it scales, and where its time goes: the commands of `python -m benchmarks`."""

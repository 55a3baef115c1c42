"""Greedy decoding: continuous batching, and the kernels that make it fast on a CPU."""

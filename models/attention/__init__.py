"""Attention patterns and the attention allocated to segments, for ordinary and differential models."""

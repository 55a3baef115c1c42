"""Attention patterns, and the attention allocated to segments, of ordinary and differential models."""

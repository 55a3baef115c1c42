"""Noisy problems of others: their layouts, paired sets, what is certified in them, and how near their noise is."""

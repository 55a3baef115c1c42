"""Load a checkpoint as a model: find its folder, check its files, read them, and merge an adapter into its base."""

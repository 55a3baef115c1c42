"""Supervised fine-tuning: options, examples, trainer, and the checks that a tuned checkpoint reloads as it was."""

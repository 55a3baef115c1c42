"""The commands of `python -m models`: their options, and what each does and prints."""

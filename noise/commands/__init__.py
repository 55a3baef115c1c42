"""The commands of `python -m noise`, one a file."""

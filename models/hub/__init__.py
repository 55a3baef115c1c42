"""Checkpoints from the Hugging Face hub: downloaded, verified by checksum, and found again in the local cache."""

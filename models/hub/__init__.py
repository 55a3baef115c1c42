"""Checkpoints of the Hugging Face hub: listed, downloaded, verified by checksum, and found in the local cache."""

"""Turn checkpoints of other layouts into folders that transformers reads as DiffLlama or Llama."""

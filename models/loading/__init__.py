"""From a name to a model in memory: where a checkpoint lies, whether its files are sound, and how it is loaded."""

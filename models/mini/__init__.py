"""Train the miniature pair that is shipped with the project."""

"""Problems: their type, their sources, their splits, and the files they are stored in."""

"""Problems: the type, where they come from, how they are split, and the files they are kept in."""

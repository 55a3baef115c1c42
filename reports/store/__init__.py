"""The results folder: records, their codec, and the files they are kept in."""

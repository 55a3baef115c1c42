"""Statistics over the records of a results folder: scores, intervals, tests and power."""

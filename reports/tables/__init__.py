"""Tables and sentences for the terminal, as lists of lines."""

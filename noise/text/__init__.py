"""Reading a question: sentences, words, numbers, quantities, and what the question asks for."""

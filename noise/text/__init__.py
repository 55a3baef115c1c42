"""Text analysis of questions and distractors: sentences, words, numbers, quantities, and what a question asks for."""

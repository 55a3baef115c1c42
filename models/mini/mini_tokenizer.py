"""The tokenizer of the miniatures: byte-level BPE with one token per digit."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from models.mini.mini_recipe import Recipe
from models.prompt import completion_for, prompt_for
from noise.mini import training
from noise.problems.problem import Problem


def make_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """Train the tokenizer of all models of a recipe, whatever their seed."""
    return train_tokenizer(training(recipe.tokenizer_seed, recipe.tokenizer_problems), recipe)


def train_tokenizer(problems: Sequence[Problem], recipe: Recipe) -> PreTrainedTokenizerFast:
    """Train a tokenizer on the text of problems. It adds `<bos>` itself, so harnesses prompt alike."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=["<pad>", "<bos>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (prompt_for(problem.question) + completion_for(problem.answer) for problem in problems), trainer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", tokenizer.token_to_id("<bos>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="left",
        model_max_length=recipe.positions,
        clean_up_tokenization_spaces=False,
    )

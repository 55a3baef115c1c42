"""Tokens and segments: nothing is counted twice, nothing is lost, and noise is never key information."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from benchmarks.attention_scope import QUERIES
from benchmarks.segmented_text import SEGMENTS, segmented
from models.loading.load_model import LoadedModel, load
from models.prompt import completion_for, prompt_for
from noise import NOISES, inject, mini
from noise.problems.problem import NoisyProblem, Problem

pytestmark = pytest.mark.quick
KMI, NI, OC, SINK, ANSWER = (SEGMENTS.index(name) for name in ("kmi", "ni", "oc", "sink", "answer"))


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load("diffllama", device="cpu", dtype="float32")


def clean(problem: Problem) -> NoisyProblem:
    return NoisyProblem(problem, "clean", problem.question, (), 0)


@settings(max_examples=60, deadline=None)
@given(
    question=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    noise=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    place=st.integers(0, 1_000),
    queries=st.sampled_from(QUERIES),
)
def test_segments_partition_the_tokens_of_any_text(
    loaded: LoadedModel, question: str, noise: str, place: int, queries: str
) -> None:
    at = place % (len(question) + 1)
    problem = Problem("any", question, "1+1=2\n#### 2")
    noisy = NoisyProblem(problem, "any", question[:at] + noise + question[at:], ((at, at + len(noise)),), 0)
    text = segmented(loaded, noisy, queries)
    assert text.shares.shape == (len(text.tokens), len(SEGMENTS))
    assert torch.allclose(text.shares.sum(-1), torch.ones(len(text)))
    assert text.shares[0].tolist() == torch.eye(len(SEGMENTS))[SINK].tolist()
    assert not text.shares[1:, SINK].any()
    assert text.queries.any()


@pytest.mark.parametrize("name", NOISES)
def test_the_noise_of_the_tokens_is_the_text_of_the_distractor(loaded: LoadedModel, name: str) -> None:
    """In characters: what the tokens hold of noise is as long as the distractor, and lies where it lies."""
    for problem in mini.problems("test")[:40]:
        noisy = inject(problem, name)
        if not noisy.question.isascii():
            continue  # `×` is two tokens, each of which covers it
        text = segmented(loaded, noisy, "last")
        lengths = torch.tensor([len(token) for token in text.tokens])
        (start, stop) = noisy.spans[0]
        assert (text.shares[:, NI] * lengths).sum() == pytest.approx(stop - start)
        said = "".join(token for token, share in zip(text.tokens, text.shares, strict=True) if share[NI] == 1)
        assert said in noisy.question[start:stop]


def test_a_token_across_an_edge_is_split_by_its_characters(loaded: LoadedModel) -> None:
    """`▁more` is one token: with a distractor that ends inside it, its characters say how much of it is noise."""
    problem = Problem("edge", "He hasre miles. How far?", "#### 2")
    noisy = NoisyProblem(problem, "any", "He has more miles. How far?", ((6, 9),), 0)
    text = segmented(loaded, noisy, "last")
    index = text.tokens.index(" more")
    assert text.shares[index, NI] == pytest.approx(3 / 5)
    assert text.shares[index].sum() == pytest.approx(1)


def test_key_information_is_numbers_their_objects_and_the_question(loaded: LoadedModel) -> None:
    problem = Problem("kites", "Wen has 6 kites at home. How many kites does Wen have?", "#### 6")
    text = segmented(loaded, clean(problem), "last")
    key = "".join(token for token, share in zip(text.tokens, text.shares, strict=True) if share[KMI] > 0.5)
    assert key == "6 kites How many kites does Wen have?"


def test_the_queries_are_the_ones_that_were_asked_for(loaded: LoadedModel) -> None:
    problem = mini.problems("test")[0]
    answer, last, everything = (segmented(loaded, clean(problem), queries) for queries in QUERIES)
    looking = "".join(token for token, looks in zip(answer.tokens, answer.queries, strict=True) if looks)
    assert looking == " " + problem.answer
    assert torch.equal(answer.queries, answer.shares[:, ANSWER] == 1)
    assert last.queries.tolist() == [False] * (len(last) - 1) + [True]
    assert everything.queries.all()
    assert last.ids == everything.ids == answer.ids[: len(last)]
    assert not last.shares[:, ANSWER].any()


def test_the_ids_are_those_that_generation_asks_with(loaded: LoadedModel) -> None:
    problem = mini.problems("test")[0]
    assert (
        list(segmented(loaded, clean(problem), "last").ids)
        == loaded.encode([prompt_for(problem.question)])["input_ids"][0]
    )


def other_tokenizer(loaded: LoadedModel, normalizer: Any, after: str) -> LoadedModel:
    """The model with a tokenizer of another make: no byte-level one, and with `after` at the end of every text."""
    words = " ".join(problem.question + " Question: Answer: " + problem.answer for problem in mini.problems("test"))
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.normalizer = normalizer
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(words.split(), trainers.BpeTrainer(vocab_size=700, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"<s> $A {after}".strip(), special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    return replace(loaded, tokenizer=fast)


@pytest.mark.parametrize("after", ["", "</s>"])
def test_prompt_and_answer_are_read_as_one_text(loaded: LoadedModel, after: str) -> None:
    """A tokenizer that puts a mark in front of a text puts one in front of all of ours; an end of text is cut."""
    normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    other = other_tokenizer(loaded, normalizer, after)
    problem = Problem("one", "Ann has 3 caps. How many caps has Ann?", "3\n#### 3")
    text = segmented(other, clean(problem), "answer")
    assert "".join(text.tokens[1:]).strip() == prompt_for(problem.question) + completion_for(problem.answer)
    assert other.tokenizer.eos_token_id not in text.ids
    assert text.queries.sum() == (text.shares[:, ANSWER] > 0.5).sum()
    last = segmented(other, clean(problem), "last")
    assert last.tokens[-1].endswith(":")
    assert last.queries[-1]
    assert text.ids[: len(last)] == last.ids


def test_an_answer_without_a_token_is_an_error(loaded: LoadedModel) -> None:
    normalizer = normalizers.Strip()
    problem = Problem("none", "Ann has 3 caps. How many caps has Ann?", "")
    with pytest.raises(ValueError, match="problem 'none': its worked answer '' has no token"):
        segmented(other_tokenizer(loaded, normalizer, ""), clean(problem), "answer")


def test_a_text_that_does_not_fit_is_refused_and_not_cut(loaded: LoadedModel) -> None:
    problem = Problem("long", "Bob has 3 eggs. " * 600 + "How many?", "#### 3")
    with pytest.raises(ValueError, match="tokens does not fit into the 2048 positions of 'diffllama'"):
        segmented(loaded, clean(problem), "last")

"""Prompts: plain, with worked examples, step by step, from a text file, or as a turn of a chat."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.eval_set import eval_set
from benchmarks.evaluation import draw_questions
from benchmarks.plan import Plan
from benchmarks.segmented_text import SEGMENTS, segmented
from benchmarks.sft_set import sft_set
from models.decode.generation import generate
from models.loading.chat_template import render_prompt
from models.loading.load_errors import ChatTemplateError
from models.loading.load_model import LoadedModel, load
from models.model_registry import MODELS, ModelSpec
from models.prompt import PLAIN, PROMPT, PromptError, Template, UnknownPromptError, prompt_for, template_of
from models.sft.tokenized_examples import IGNORED, tokenize_examples, training_rows
from noise import mini
from noise.problems.splits import not_shown, problems_to_train_on
from tests.models.random_models import END, write_checkpoint

PROBLEMS = mini.problems("test")[:4]


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A random model with a chat template, prompted as a turn of a chat."""
    folder = write_checkpoint("diffllama", tmp_path_factory.mktemp("chat-model"))
    return load(ModelSpec("chat-model", str(folder)), "cpu", "float32", template_of("plain", chat=True))


@pytest.mark.quick
def test_the_plain_prompt_never_changes() -> None:
    assert template_of("plain") == PLAIN
    assert PLAIN.text == "Question: {question}\nAnswer:"
    assert load("llama").prompt.format("Why?") == prompt_for("Why?") == "Question: Why?\nAnswer:"
    assert load("llama").prompt.text == PROMPT


@pytest.mark.quick
def test_worked_examples_come_first() -> None:
    first, second = mini.problems("train")[:2]
    assert template_of("fewshot:2").text == (
        f"Question: {first.question}\nAnswer: {first.answer}\n\n"
        f"Question: {second.question}\nAnswer: {second.answer}\n\n"
        "Question: {question}\nAnswer:"
    )


def test_worked_examples_are_of_the_problems_that_are_asked(tmp_path: Path) -> None:
    """Of a file the half that a model would be tuned on; none of them is asked."""
    mine = [
        {"id": f"m{n}", "question": f"Mia has {n} pens and buys 2. How many?", "answer": f"#### {n + 2}"}
        for n in range(20)
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in mine))
    source = str(tmp_path / "mine.jsonl")
    template = template_of("fewshot:2", examples=lambda: problems_to_train_on(source))
    shown = problems_to_train_on(source)[:2]
    assert template.text.startswith(f"Question: {shown[0].question}\nAnswer: {shown[0].answer}\n\nQuestion: ")
    plan = Plan((MODELS["llama"],), ("clean",), ("zero_shot",), source, template=template)
    asked = eval_set(plan, needs_tuning=False).problems
    assert len(asked) == 18
    assert not {problem.id for problem in asked} & {problem.id for problem in shown}
    with pytest.raises(UnknownPromptError, match=r"'fewshot:64': expected at most as many examples as there are"):
        template_of("fewshot:64", examples=lambda: problems_to_train_on(source))


def test_in_a_chat_worked_examples_are_turns(chat_model: LoadedModel) -> None:
    template = template_of("fewshot:1", chat=True)
    first = mini.problems("train")[0]
    turns = [
        {"role": "user", "content": prompt_for(first.question)},
        {"role": "assistant", "content": first.answer},
        {"role": "user", "content": prompt_for(PROBLEMS[0].question)},
    ]
    expected = chat_model.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    prompt = render_prompt(template, chat_model.tokenizer)
    assert prompt.format(PROBLEMS[0].question) == expected
    assert first.question in template.key
    assert not_shown([first], template.shown) == []


@pytest.mark.quick
def test_a_chain_of_thought_has_the_words_of_its_source() -> None:
    assert template_of("cot").text == "Question: {question}\nAnswer: Let's think step by step."


@pytest.mark.quick
def test_a_text_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("In {braces}, solve:\n{question}\nSolution:\n")
    assert template_of(str(tmp_path / "mine.txt")).text == "In {braces}, solve:\n{question}\nSolution:"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fewshots:4", "expected plain, cot, fewshot:N or a text file"),
        ("fewshot", "expected plain, cot, fewshot:N or a text file"),
        ("fewshot:0", "expected a number from 1 to 64"),
        ("fewshot:many", "expected a number from 1 to 64"),
        ("none.txt", r"expected {question} once in the text, found it 0 times"),
        ("twice.txt", r"prompt 'twice.txt': expected {question} once in the text, found it 2 times"),
        ("latin.txt", "latin.txt: 'utf-8' codec"),
    ],
)
def test_an_unknown_prompt_is_refused(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("none.txt").write_text("Solve it.")
    Path("twice.txt").write_text("{question} {question}")
    Path("latin.txt").write_bytes(b"caf\xe9 {question}")
    with pytest.raises(UnknownPromptError, match=message):
        template_of(name)


def test_examples_of_the_prompt_are_not_evaluated() -> None:
    plan = Plan((MODELS["llama"],), ("clean",), ("zero_shot",), "mini:train", template=template_of("fewshot:3"))
    measured = eval_set(plan, needs_tuning=False)
    assert measured.problems == mini.problems("train")[3:]
    assert measured.left_out_message() == "problems left out of mini:train: 3 that the prompt shows"


def test_examples_are_part_of_the_prompt_in_training_too() -> None:
    template = template_of("fewshot:1")
    loaded = load("llama", "cpu", "float32", template)
    prompt = loaded.tokenizer(template.text.replace("{question}", PROBLEMS[0].question))["input_ids"]
    assert tokenize_examples(loaded, PROBLEMS[:1])[0][0] == prompt
    assert training_rows(loaded, PROBLEMS[:1])[0]["input_ids"][: len(prompt)] == prompt


def test_a_chat_is_tokenized_as_by_apply_chat_template(chat_model: LoadedModel) -> None:
    turn = [{"role": "user", "content": prompt_for(PROBLEMS[0].question)}]
    expected = chat_model.tokenizer.apply_chat_template(turn, add_generation_prompt=True)["input_ids"]
    assert chat_model.encode(chat_model.prompts([PROBLEMS[0].question]))["input_ids"] == [expected]
    assert tokenize_examples(chat_model, PROBLEMS[:1])[0][0] == expected
    assert chat_model.prompt.text.startswith("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nQuestion: {")


def test_an_answer_in_a_chat_is_a_turn_of_its_own(chat_model: LoadedModel) -> None:
    row = training_rows(chat_model, PROBLEMS[:1])[0]
    trained = [id for id, label in zip(row["input_ids"], row["labels"], strict=True) if label != IGNORED]
    assert chat_model.tokenizer.decode(trained) == PROBLEMS[0].answer + END


def test_a_question_cannot_end_its_turn(chat_model: LoadedModel) -> None:
    for token in (END, "<|start_header_id|>"):
        with pytest.raises(PromptError, match=r"the question contains '.*', which would end its turn"):
            generate(chat_model, [f"How many? {token} 7"], 4)
    plain = load(chat_model.spec, "cpu", "float32")
    assert chat_model.tokenizer.eos_token_id not in plain.encode(plain.prompts([f"How many? {END} 7"]))["input_ids"][0]


def test_attention_segments_find_the_question_in_a_chat(chat_model: LoadedModel) -> None:
    (noisy,) = draw_questions("inf", PROBLEMS[:1], seed=0)
    text = segmented(chat_model, noisy, "answer")
    inside = [token for token, kind in zip(text.tokens, text.kinds(), strict=True) if kind == "ni"]
    start, stop = noisy.spans[0]
    assert "".join(inside).strip() == noisy.question[start:stop].strip()
    answered = [token for token, kind in zip(text.tokens, text.kinds(), strict=True) if kind == "answer"]
    assert "".join(answered) == noisy.problem.answer
    assert sum(text.shares.sum(0)) == pytest.approx(len(text))
    assert SEGMENTS.index("sink") == text.shares[0].argmax()


def test_a_model_without_a_chat_template_is_refused() -> None:
    with pytest.raises(ChatTemplateError, match="model 'llama': it has no chat template"):
        load("llama", template=template_of("plain", chat=True))


@pytest.mark.parametrize(
    ("format", "message"),
    [
        (
            "{{ messages[0].content }} or {{ messages[0].content }}?",
            "contain the question once, but contains it 2 times",
        ),
        ("{{ raise_exception('no user here') }}", "its chat template failed: TemplateError: no user here"),
        ("nothing", "contain the question once, but contains it 0 times"),
    ],
)
def test_a_chat_template_without_the_question_is_refused(tmp_path: Path, format: str, message: str) -> None:
    folder = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "mine"))
    facts = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(facts | {"chat_template": format}))
    with pytest.raises(ChatTemplateError, match=message):
        load(str(folder), template=template_of("plain", chat=True))


@pytest.mark.parametrize(
    "dated",
    [
        "{% if not date_string %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}{{ date_string }}",
        "{{ strftime_now('%d %b %Y') }}",
    ],
)
def test_a_chat_template_with_a_date_gives_the_same_prompt_every_day(tmp_path: Path, dated: str) -> None:
    folder = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "mine"))
    facts = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps(facts | {"chat_template": dated + "{{ messages[0].content }}"})
    )
    loaded = load(str(folder), template=template_of("plain", chat=True))
    assert loaded.prompt.text == "26 Jul 2024Question: {question}\nAnswer:"


def test_a_tokenizer_that_ends_every_text_does_not_end_a_prompt(tmp_path: Path) -> None:
    """A prompt with an end of text in it was seen to lower the correct answers from 20 of 20 to 5."""
    folder = Path(shutil.copytree(MODELS["llama"].source, tmp_path / "mine"))
    facts = json.loads((folder / "tokenizer.json").read_text())
    end = {"id": "<eos>", "ids": [2], "tokens": ["<eos>"]}
    facts["post_processor"]["special_tokens"]["<eos>"] = end
    facts["post_processor"]["single"].append({"SpecialToken": {"id": "<eos>", "type_id": 0}})
    (folder / "tokenizer.json").write_text(json.dumps(facts))
    mine, plain = load(str(folder), "cpu", "float32"), load("llama", "cpu", "float32")
    assert mine.tokenizer("1")["input_ids"] == [*plain.tokenizer("1")["input_ids"], 2]
    questions = [problem.question for problem in PROBLEMS]
    assert generate(mine, questions, 64) == generate(plain, questions, 64)
    assert tokenize_examples(mine, PROBLEMS) == tokenize_examples(plain, PROBLEMS)
    (noisy,) = draw_questions("inf", PROBLEMS[:1], seed=0)
    assert segmented(mine, noisy, "answer").ids == segmented(plain, noisy, "answer").ids


def test_examples_of_the_prompt_are_not_tuned_on() -> None:
    plan = Plan(
        (MODELS["llama"],), ("clean",), ("zero_shot", "sft"), "mini", template=template_of("fewshot:8"), sft_samples=16
    )
    assert list(sft_set(plan, eval_set(plan, needs_tuning=True)).problems) == mini.problems("train")[8:24]


def test_the_key_of_a_template_tells_a_chat_apart() -> None:
    assert Template("{question}").key != Template("{question}", chat=True).key


def test_a_run_records_the_name_of_its_prompt() -> None:
    plan = Plan((MODELS["llama"],), ("clean",), ("zero_shot",), template=template_of("fewshot:2", chat=True))
    options = plan.options()
    assert (options["prompt"], options["chat"]) == ("fewshot:2", True)
    assert "template" not in options, "its text is in the settings of each cell"

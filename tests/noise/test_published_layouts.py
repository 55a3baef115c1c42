"""`python -m noise import`: made-up files in each published layout become paired sets, and no line is lost unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from noise import load_problems
from noise.__main__ import main
from noise.sets.paired_sets import read_paired_set
from noise.sets.published_layouts import LAYOUTS

pytestmark = pytest.mark.quick
CLEAN = "Ann has 3 pens. She buys 4 more pens. How many pens has Ann?"
NOISY = "Ann has 3 pens. She buys 4 more pens. Bob has 9 hats. How many pens has Ann?"
REWORDED = "Ann owns 3 pens. She buys 4 more pens. Bob has 9 hats. How many pens has Ann?"
SEED = {"seed_question": CLEAN, "seed_solution": "3+4=7\n#### 7", "seed_answer": "7"}
PLUS = {"question": NOISY, "solution": "7\n#### 7", "answer": "7", "perturbation_type": "distraction insertion", **SEED}
LABELS = {"role_label": "nonoverlapped", "number_label": "in_range", "sentence_label": "out_topic"}
IC = {"original_question": CLEAN, "new_question": NOISY, "answer": "7", "n_steps": 2, "role": "Bob", **LABELS}
PASSAGES = ("Ann has 3 pens. She buys 4 more pens", "Ann has 3 pens. She buys 4 more pens. Bob has 9 hats.")


def _problemathic(noisy: str, answer: str = "7") -> dict[str, Any]:
    adversary = {"new_variable": "Hats", "augmented_passage": noisy}
    return {
        "question": " How many pens has Ann?",
        "answer": answer,
        "simple": {"passage": PASSAGES[0]},
        "adversary": adversary,
    }


#: A layout, the name of a file, its content, and what is said of it.
FILES: list[tuple[str, str, str, str]] = [
    (
        "gsm-plus",
        "plus.jsonl",
        "".join(
            json.dumps(line) + "\n"
            for line in (
                PLUS,
                {**PLUS, "perturbation_type": "critical thinking", "answer": "None"},
                {**PLUS, "perturbation_type": "distractor insertion", "question": REWORDED},
                {**PLUS, "solution": "#### 9", "answer": "9"},
            )
        ),
        "1 pairs of 1 problems; not used: 1 a change of another kind than an insertion, 1 another answer than the clean"
        " problem's, 1 changes or drops words of the original question",
    ),
    (
        "gsm-ic",
        "ic.json",
        json.dumps([IC, {**IC, "new_question": REWORDED}, {**IC, "new_question": NOISY.replace("9", "90")}]),
        "2 pairs of 1 problems; not used: 1 changes or drops words of the original question",
    ),
    (
        "problemathic",
        "paired.json",
        json.dumps(
            [
                {"passage_0": _problemathic(PASSAGES[1])},
                {"passage_1": _problemathic("CouldNotExtractError")},
                {"passage_2": _problemathic(PASSAGES[1], "8")},
                {"passage_3": 5},
            ]
        ),
        "1 pairs of 1 problems; not used: 1 another answer than an earlier line of the same clean problem, 1 no noisy"
        " passage, 1 no question",
    ),
    (
        "problemathic",
        "paired.csv",
        f"question,answer,input_passage,augmented_passage\n How many pens has Ann?,7,{PASSAGES[0]},{PASSAGES[1]}\n",
        "1 pairs of 1 problems; not used: no line",
    ),
    (
        "svamp",
        "SVAMP.json",
        json.dumps(
            [
                {"ID": "chal-1", "Body": PASSAGES[0], "Question": "How many pens has Ann?", "Answer": 7.0},
                {"ID": "chal-2", "Body": "", "Question": "How many?", "Answer": 7.0},
            ]
        ),
        "1 problems; not used: 1 no question",
    ),
    (
        "catattack",
        "evaluation_results.json",
        json.dumps(
            {
                "summary": {},
                "results": [
                    {"question": CLEAN, "ground_truth": "7", "suffix_questions": [f"{CLEAN} Cats sleep.", CLEAN]}
                ],
            }
        ),
        "1 pairs of 1 problems; not used: 1 adds nothing to the original question",
    ),
]


@pytest.mark.parametrize(("layout", "name", "content", "said"), FILES, ids=[file[1] for file in FILES])
def test_a_file_of_each_layout_is_imported(
    tmp_path: Path, layout: str, name: str, content: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert main(["import", layout, str(tmp_path / name), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines()[0] == said
    problems = load_problems(tmp_path / "out" / f"{layout}.jsonl")
    assert [(problem.question, problem.target) for problem in problems] == [(CLEAN, 7)]
    manifest = json.loads((tmp_path / "out" / "noise.json").read_text())["files"]
    assert {*manifest, "noise.json"} == {path.name for path in (tmp_path / "out").iterdir()}
    if layout != "svamp":
        paired = read_paired_set(tmp_path / "out" / f"{layout}_noisy.jsonl")
        assert not paired.refused
        assert {pair.noisy.problem.id for pair in paired.pairs} == {problems[0].id}
        assert manifest[f"{layout}_noisy.jsonl"]["pairs"] == len(paired.pairs)


def test_every_layout_has_a_file_here() -> None:
    assert {file[0] for file in FILES} == set(LAYOUTS)


def test_what_was_varied_is_kept(tmp_path: Path) -> None:
    (tmp_path / "ic.json").write_text(json.dumps([IC]))
    main(["import", "gsm-ic", str(tmp_path / "ic.json"), "--out", str(tmp_path)])
    line = json.loads((tmp_path / "gsm-ic_noisy.jsonl").read_text())
    assert {name: line[name] for name in LABELS} == LABELS
    assert (line["noise_type"], line["spans"]) == ("GSM-IC", [[38, 54]])


def test_a_svamp_file_says_that_it_has_no_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "SVAMP.json").write_text(FILES[4][2])
    assert main(["import", "svamp", str(tmp_path / "SVAMP.json"), "--out", str(tmp_path)]) == 0
    assert "the file has no pairs; add noise to its problems" in capsys.readouterr().out
    assert load_problems(tmp_path / "svamp.jsonl")[0].id == "chal-1"


def test_triggers_are_added_behind_the_problems_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "triggers.txt").write_text("Cats sleep.\n\nCould it be 175?\n")
    mine = tmp_path / "mine.jsonl"
    mine.write_text(json.dumps({"id": "a", "question": CLEAN, "answer": "#### 7"}) + "\n")
    typed = ["import", "catattack", str(tmp_path / "triggers.txt"), "--out", str(tmp_path)]
    assert main(typed) == 1
    assert main([*typed, "--problems", str(mine)]) == 0
    pairs = read_paired_set(tmp_path / "catattack_noisy.jsonl").pairs
    assert [pair.noisy.question for pair in pairs] == [f"{CLEAN} Cats sleep.", f"{CLEAN} Could it be 175?"]
    assert {pair.noisy.problem.id for pair in pairs} == {"a"}


@pytest.mark.parametrize(
    ("layout", "name", "content", "message"),
    [
        ("gsm-plus", "x.jsonl", '{"question": "a"}\n', "got 1 lines and none to use: 1 a change of another kind"),
        ("gsm-plus", "none.jsonl", None, "none.jsonl: no such file"),
        ("problemathic", "test.csv", "input,output\na,1\n", "expected the columns question, answer, input_passage and"),
        ("catattack", "x.json", "[]", "expected a JSON object with 'results'"),
        ("catattack", "x.txt", "Cats.\n", "expected problems to add its triggers to, got none"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    tmp_path: Path, layout: str, name: str, content: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert main(["import", layout, str(tmp_path / name), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("python -m noise import: ")
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_another_file_is_replaced_only_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plus.jsonl").write_text(json.dumps(PLUS))
    (tmp_path / "gsm-plus.jsonl").write_text("by hand\n")
    typed = ["import", "gsm-plus", str(tmp_path / "plus.jsonl"), "--out", str(tmp_path)]
    assert main(typed) == 1
    assert (
        "gsm-plus.jsonl: something else is there already; choose another --out, or add --force"
        in capsys.readouterr().err
    )
    assert main([*typed, "--force"]) == 0
    assert main(typed) == 0

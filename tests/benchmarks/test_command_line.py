"""`pytest benchmarks` as its users type it, in a process of its own."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noise.registry import default_noises
from tests.benchmarks.typed_commands import ROOT, command, typed, typed_in_turn

NOISES = ("clean", *default_noises())  # those of whoever adds one, too


def cases(model: str) -> list[str]:
    """The ids of a model's cases, in their order."""
    return [*zero_shot(model), *sft(model), *attention(model), *intervene(model), *attention(f"{model}+sft")]


def zero_shot(model: str) -> list[str]:
    return [f"{model}-{noise}-zero_shot" for noise in NOISES]


def sft(model: str) -> list[str]:
    return [f"{model}-{noise}-sft" for noise in NOISES]


def attention(model: str) -> list[str]:
    return [f"{model}-{noise}-attention" for noise in (*NOISES, "needle")]


def intervene(model: str) -> list[str]:
    return [f"{model}-{noise}-intervene" for noise in NOISES if noise != "clean"]


def likelihood(model: str) -> list[str]:
    return [f"{model}-{noise}-likelihood" for noise in NOISES]


#: How the header says that the embedded problems are tuned on with noise, unless told otherwise.
NOISY = " with clean/inf/rcs/sd"
ZERO_SHOT = ["benchmarks", "--skip-attention", "--skip-sft"]
OPTIONS = """--models --datasets --problems --skip-bad-lines --max-samples --quick --mode --results --fresh --seed
--batch-size --max-new-tokens --device --dtype --skip-data-gen --skip-zero-shot --skip-attention --attention-layers
--attention-heads --attention-queries --attention-maps --interventions --skip-intervene --skip-sft --enable-sft
--sft-method --sft-samples
--prompt --chat --device-map --allow-pickles --trust-remote-code
--noise-seeds --noise-file --certified-only --measure --save-baseline --baseline --tolerance --alpha
--sft-epochs --sft-problems --sft-noise --sft-loss --sft-batch-size --sft-accumulation --sft-lr --sft-rank""".split()


#: Arguments, and the cases that they choose, in the order in which models are loaded.
CHOSEN = [
    ([], [*cases("diffllama"), *cases("llama")]),
    (["-k", "diffllama"], cases("diffllama")),
    (
        ["-k", "diffllama and inf"],
        [
            *("diffllama-inf-zero_shot", "diffllama-inf-sft"),
            *("diffllama-inf-attention", "diffllama-inf-intervene", "diffllama+sft-inf-attention"),
        ],
    ),
    (["-k", "attention and diffllama"], [*attention("diffllama"), *attention("diffllama+sft")]),
    (["-k", "retrieval", "--models", "llama"], ["llama-needle-attention", "llama+sft-needle-attention"]),
    (["-k", "sft and not attention"], [*sft("diffllama"), *sft("llama")]),
    (["-k", "diffllama+sft"], attention("diffllama+sft")),
    (["--models", "llama"], cases("llama")),
    (
        ["--skip-attention", "--skip-sft", "--models", "llama,diffllama", "--datasets", "inf"],
        ["llama-inf-zero_shot", "diffllama-inf-zero_shot"],
    ),
    (
        ["--skip-attention", "--models", "mine=llama", "--datasets", "clean"],
        ["mine-clean-zero_shot", "mine-clean-sft"],
    ),
    (["--skip-zero-shot", "--models", "llama"], cases("llama")[len(NOISES) :]),
    (["--skip-sft", "--models", "llama"], [*zero_shot("llama"), *attention("llama"), *intervene("llama")]),
    (["--skip-sft", "--skip-intervene", "--models", "llama"], [*zero_shot("llama"), *attention("llama")]),
    (["-k", "intervene", "--models", "llama"], intervene("llama")),
    (
        ["--mode", "quick", "--skip-attention", "--interventions", "moved", "--models", "llama", "--datasets", "inf"],
        ["llama-inf-zero_shot", "llama-inf-intervene"],
    ),
    (["--mode", "medium", "--models", "llama"], [*zero_shot("llama"), *attention("llama")]),
    (
        ["--mode", "medium", "--enable-sft", "--models", "llama"],
        [case for case in cases("llama") if "intervene" not in case],
    ),
    (["--skip-zero-shot", "--skip-attention", "--skip-sft"], []),
    (["-m", "zero_shot", "--models", "llama"], zero_shot("llama")),
    (["-m", "attention", "--models", "llama", "--skip-sft"], attention("llama")),
    (["--benchmark-only", "-k", "llama and not diffllama"], ["llama"]),
    (
        ["--measure", "accuracy,likelihood", "--skip-sft", "--skip-attention", "--models", "llama"],
        [*zero_shot("llama"), *likelihood("llama")],
    ),
    (
        ["--measure", "likelihood", "--skip-attention", "--models", "llama"],
        [*likelihood("llama"), *likelihood("llama+sft")],
    ),
]
#: Arguments, and what is said of them.
MISTAKES = [
    (["--models", "lama"], "unknown model 'lama'. Did you mean 'llama'?"),
    (["--datasets", "clean,ifn"], "unknown dataset 'ifn'. Did you mean 'inf'?"),
    (["--problems", "gsm8"], "gsm8k"),
    (["--problems", "no/such.jsonl"], "no/such.jsonl: no such file"),
    (["--max-samples", "0"], "--max-samples 0: expected a number from 1 up, or -1 for all"),
    (["--batch-size", "0"], "--batch-size 0: expected a number from 1 up"),
    (["--attention-maps", "-1"], "--attention-maps -1: expected a number from 0 up"),
    (["--attention-heads", "0,x"], "--attention-heads '0,x': expected numbers from 0 up, as in 0,3 or 0-3"),
    (
        ["--device", "cuda:1"],
        "--device cuda:1: fine-tuning runs on the first visible card; set CUDA_VISIBLE",
    ),
    (["--dtype", "float16"], "--dtype float16: fine-tuning runs in float32 or bfloat16"),
    (["--sft-samples", "0"], "--sft-samples 0: expected a number from 1 up, or -1 for all"),
    (["--sft-epochs", "0"], "--sft-epochs 0: expected a number from 1 to 1,000"),
    (["--sft-epochs", "1" + "0" * 30], "expected a number from 1 to 1,000"),
    (["--sft-rank", "9" * 30], "expected a number from 1 to 4,096"),
    (["--seed", "-5"], "--seed -5: expected a number from 0 to 4,294,967,295"),
    (["--max-samples", "1" + "0" * 30], "expected a number from 1 to 1,000,000,000, or -1 for all"),
    (["--max-new-tokens", "9" * 11], "--max-new-tokens 99999999999: expected a number from 1 to 1,000,000,000"),
    (["--results", ""], "--results '': expected the name of a folder"),
    (["--results", "a\0b"], "expected the name of a folder"),
    (["--results", "x" * 300], "xxx: File name too long"),
    (["--models", "x" * 5000], "xxx: File name too long"),
    (["--problems", "x" * 5000 + ".jsonl"], "xxx: File name too long"),
    (["--sft-lr", "nan"], "--sft-lr nan: expected a number above 0"),
    (["--sft-noise", "ifn"], "--sft-noise: unknown dataset 'ifn'. Did you mean 'inf'?"),
    (["--sft-problems", "gsm8"], "--sft-problems: unknown source of problems 'gsm8'. Did you mean 'gsm8k'?"),
    (["--sft-problems", "no/such.jsonl"], "--sft-problems no/such.jsonl: no such file"),
    (["--mode", "quick", "--sft-epochs", "3"], "--sft-epochs: --mode leaves out the stage sft; add --enable-sft"),
    (["--skip-sft", "--enable-sft"], "--skip-sft and --enable-sft: expected at most one of the two"),
    (["--models", "llama,llama+sft=llama"], "'llama+sft' is the name of the tuned 'llama'; rename"),
    (["--sft-samples", "9000"], "--sft-samples 9000: mini:train has 8,000 problems to tune on"),
    (["--problems", "mini:train", "--sft-problems", "mini:train"], "are asked by the evaluation too"),
    (["--noise-seeds", "0"], "--noise-seeds 0: expected a number from 1 to 1,000"),
    (["--noise-seeds", "1" + "0" * 30], "expected a number from 1 to 1,000"),
    (["--measure", "likelyhood"], "--measure: unknown measure 'likelyhood'. Did you mean 'likelihood'?"),
    (["--measure", ","], "--measure ',' names no measure. Known: accuracy, likelihood."),
    (
        ["--baseline", "no/such.json"],
        "the baseline no/such.json does not exist. Make it with --save-baseline no/such.json",
    ),
    (
        ["--prompt", "fewshot"],
        "expected plain, cot, fewshot:N or a text file with {question} in it. Choose one with --prompt.",
    ),
    (["--device-map", "auto"], "--device-map auto: fine-tuning runs on one card; drop --device-map or add --skip-sft"),
    (
        ["--device-map", "auto", "--device", "cpu", "--skip-sft"],
        "--device cpu and --device-map auto: expected at most",
    ),
    (["--skip-data-gen"], "--skip-data-gen reads the noisy files next to the file of --problems"),
]


@pytest.mark.quick
def test_options_choose_cells(subtests: pytest.Subtests) -> None:
    done = typed_in_turn([["benchmarks", "--collect-only", "-q", *arguments] for arguments, _ in CHOSEN])
    for (arguments, cells), one in zip(CHOSEN, done, strict=True):
        with subtests.test(" ".join(arguments)):
            assert one.returncode == (0 if cells else 5)
            lines = (line for line in one.stdout.splitlines() if "test_added_stages.py" not in line)
            assert [cell for line in lines for cell in re.findall(r"\[(.+)\]", line)] == cells


@pytest.mark.quick
def test_what_was_chosen_is_said_where_a_word_chooses_more_than_it_seems() -> None:
    """`-k llama` chooses diffllama too."""
    both = typed("benchmarks", "-k", "llama", "--setup-plan").stdout
    assert "-k llama selects diffllama, llama; for llama alone: -k 'llama and not diffllama'" in both
    assert "stages not asked for: likelihood" in both
    alone = typed("benchmarks", "-k", "llama", "--models", "llama", "--measure", "accuracy,likelihood", "--setup-plan")
    assert "selects" not in alone.stdout
    assert "not asked for" not in alone.stdout


@pytest.mark.quick
def test_what_does_not_exist_is_answered_at_once(subtests: pytest.Subtests, tmp_path: Path) -> None:
    done = typed_in_turn([["benchmarks", "--results", f"{tmp_path}/results", *given] for given, _ in MISTAKES])
    for (arguments, said), one in zip(MISTAKES, done, strict=True):
        with subtests.test(" ".join(arguments)):
            assert one.returncode == pytest.ExitCode.USAGE_ERROR
            assert said in one.stderr
            assert "Traceback" not in one.stderr
    assert not (tmp_path / "results").exists(), "a mistake leaves nothing behind"


@pytest.mark.quick
def test_a_file_in_the_place_of_the_results_is_answered_at_once(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    done = typed("benchmarks", "--results", str(tmp_path / "results"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "expected a folder, found a file" in done.stderr


@pytest.mark.quick
def test_the_options_stand_under_one_heading() -> None:
    heading = "differential attention under noise:"
    section = typed("--help").stdout.partition(heading)[2].partition("\n\n")[0]
    assert all(f"  {option}" in section for option in OPTIONS)


#: Arguments, and what the header says of them.
HEADERS = [
    (
        [],
        f"sft (lora, 500 × 2{NOISY}), attention, intervene; 200 problems (100 for attention) a cell from mini, seed 0",
    ),
    (["--quick"], f"sft (lora, 50 × 1{NOISY}), attention, intervene; 20 problems a cell"),
    (["--sft-noise", "none"], "sft (lora, 500 × 2), attention"),
    (["--mode", "quick"], "zero_shot, attention; 20 problems a cell"),
    (["--mode", "medium"], "zero_shot, attention; 100 problems (50 for attention) a cell"),
    (["--mode", "full"], "zero_shot, attention; all problems (200 for attention) a cell"),
    (["--quick", "--max-samples", "7"], "attention, intervene; 7 problems a cell"),
    (
        "--sft-method full --sft-samples -1 --sft-epochs 3 --sft-noise inf,sd --skip-attention".split(),
        "zero_shot, sft (full, all × 3 with inf/sd); 200 problems",
    ),
]


@pytest.mark.quick
def test_the_header_says_what_will_run(subtests: pytest.Subtests) -> None:
    done = typed_in_turn([["benchmarks", "--collect-only", *arguments] for arguments, _ in HEADERS])
    for (arguments, size), run in zip(HEADERS, done, strict=True):
        with subtests.test(" ".join(arguments)):
            header = run.stdout.partition(f"grid: diffllama, llama × {', '.join(NOISES)} × ")[2].partition("\n")[0]
            assert header.count(size) == 1


def test_a_model_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    """No traceback and no chain of other people's errors."""
    done = typed(*ZERO_SHOT, "--models", f"mine={tmp_path}", "--datasets", "clean", "--results", str(tmp_path / "r"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    sentence = f"model 'mine': {tmp_path} has no config.json; expected a checkpoint folder"
    assert done.stderr.strip() == f"ERROR: {sentence}"


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "accuracy.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_is_extended_by_the_next_and_refused_under_other_settings(tmp_path: Path) -> None:
    """One folder: part of the grid, all of it with more problems, another token limit, then --fresh."""
    folder = tmp_path / "results"
    common = [*ZERO_SHOT, "--results", str(folder), "--datasets", "clean,inf"]
    first = typed(*common, "-k", "diffllama and inf", "--max-samples", "3")
    assert first.returncode == 0, first.stdout
    assert "predictions: 0 read, 3 made" in first.stdout
    second = typed(*common, "--max-samples", "5")
    assert "predictions: 3 read, 17 made" in second.stdout
    assert "one training seed: a comparison of checkpoints" in " ".join(second.stdout.split())
    assert [(row["model"], row["noise"], row["n"]) for row in rows(folder)] == [
        (model, noise, "5") for model in ("diffllama", "llama") for noise in ("clean", "inf")
    ]
    other = typed(*common, "--max-samples", "5", "--max-new-tokens", "60")
    assert other.returncode == pytest.ExitCode.USAGE_ERROR
    assert "max_new_tokens was 256 and is now 60" in other.stdout
    assert len(rows(folder)) == 4
    fresh = typed(*common, "--max-samples", "2", "--max-new-tokens", "60", "--models", "llama", "--fresh")
    assert "predictions: 0 read, 4 made" in fresh.stdout
    shown = typed(*common, "--max-samples", "2", "--max-new-tokens", "60", "--models", "llama", "--prompt", "fewshot:4")
    assert "prompt was 'Question: {question}\\nAnswer:' and is now 'Question: " in " ".join(shown.stdout.split())
    kept = list((folder / "set_aside").glob("*/predictions/zero_shot/*/*.jsonl"))
    assert sum(len(path.read_text().splitlines()) for path in kept) == 20


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    arguments = [*ZERO_SHOT, "--results", str(folder), "--models", "llama", "--datasets", "clean,sd"]
    arguments += ["--max-samples", "40", "--batch-size", "4"]
    running = subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    file = folder / "predictions" / "zero_shot" / "llama" / "clean.jsonl"
    deadline = time.monotonic() + 120
    while running.poll() is None and not (file.exists() and file.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    found = file.read_bytes()
    resumed = typed(*arguments)
    assert resumed.returncode == 0, resumed.stdout
    read = int(re.search(r"predictions: (\d+) read", resumed.stdout)[1])  # type: ignore[index]
    assert 0 < read < 80
    assert file.read_bytes().startswith(found[: found.rfind(b"\n") + 1]), "what was on disk must still be there"
    assert [row["n"] for row in rows(folder)] == ["40", "40"]


def test_a_problem_that_fails_makes_its_case_fail_and_is_not_wrong(tmp_path: Path) -> None:
    problems = [{"question": f"Ann has {n} caps. How many caps does Ann have?", "answer": f"#### {n}"} for n in (3, 4)]
    problems.append({"question": "How many marbles? " * 900, "answer": "#### 1"})
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    folder = tmp_path / "results"
    done = typed(
        *ZERO_SHOT, "--problems", str(file), "--results", str(folder), "--models", "llama", "--datasets", "clean"
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 of 3 problems ended in an error; mine-00003: " in done.stdout
    assert "do not fit into the 2048 positions" in done.stdout
    assert [(row["n"], row["errors"]) for row in rows(folder)] == [("2", "1")]


def test_noisy_files_are_used_as_they_are(tmp_path: Path) -> None:
    """--skip-data-gen asks with the files that `python -m noise` wrote; where one is missing it stops at once."""
    file = tmp_path / "mine.jsonl"
    problem = {"question": "Ann has 3 caps. She buys 2 more. How many caps does Ann have?", "answer": "#### 5"}
    file.write_text(json.dumps(problem) + "\n")
    arguments = ["--problems", str(file), "--skip-data-gen", "--models", "llama", "--datasets", "inf"]
    placed = typed(*ZERO_SHOT, *arguments, "--noise-position", "first")
    assert placed.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--noise-position is about noise that is drawn" in placed.stderr
    missing = typed(*ZERO_SHOT, "--results", str(tmp_path / "results"), *arguments)
    assert missing.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        f"expected the inf problems of '{file}' in '{tmp_path / 'mine_inf.jsonl'}', got no such file" in missing.stderr
    )
    noise = [sys.executable, "-m", "noise", "--problems", str(file), "--datasets", "inf", "--seed", "7"]
    subprocess.run([*noise, "--out", str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    done = typed(*ZERO_SHOT, "--results", str(tmp_path / "results"), *arguments)
    assert done.returncode == 0, done.stdout
    assert f"from {file}, noise from the files in {tmp_path}" in " ".join(done.stdout.split())
    assert json.loads((tmp_path / "results/run.json").read_text())["runs"][-1]["seed"] is None
    written = json.loads((tmp_path / "mine_inf.jsonl").read_text())
    asked = json.loads((tmp_path / "results/predictions/zero_shot/llama/inf.jsonl").read_text())
    assert asked["question"] == written["question"] != problem["question"]


@pytest.mark.slow
def test_workers_write_what_one_process_writes(tmp_path: Path) -> None:
    for folder, workers in (("one", "0"), ("two", "2")):
        done = typed("benchmarks", "--max-samples", "6", "--results", str(tmp_path / folder), "-n", workers)
        assert done.returncode == 0, done.stdout
    for name in ("accuracy.csv", "attention.csv"):
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()


def test_the_stage_attention_leaves_its_table_its_maps_and_its_pictures(tmp_path: Path) -> None:
    """On text of one's own, with the layers and heads that were asked for, and again from disk."""
    file, folder = tmp_path / "mine.jsonl", tmp_path / "results"
    problem = {"question": "Ann has 3 caps. She buys 2 more. How many caps does Ann have?", "answer": "3+2=5\n#### 5"}
    file.write_text(json.dumps(problem) + "\n")
    arguments = ["--problems", str(file), "--results", str(folder), "--datasets", "inf"]
    arguments += ["-k", "attention", "--skip-sft", "--attention-layers", "0-1", "--attention-heads", "1"]
    done = typed("benchmarks", *arguments, "-v")
    assert done.returncode == 0, done.stdout
    assert "queries answer; layers 0,1; heads 1" in " ".join(done.stdout.split())
    with (folder / "attention.csv").open(newline="") as lines:
        table = list(csv.DictReader(lines))
    assert {row["model"] for row in table} == {"diffllama", "llama"}
    assert {row["noise"] for row in table} == {"inf", *(f"needle{depth}" for depth in (0, 25, 50, 75, 100))}
    assert {(row["layer"], row["head"]) for row in table if row["head"]} == {("0", "1"), ("1", "1")}
    for model in ("diffllama", "llama"):
        maps = {path.name for path in (folder / "attention_maps" / f"{model}-attention").glob("*.png")}
        assert maps == {f"inf_q0_layer{layer}_head1.png" for layer in (0, 1)}
    assert [path.name for path in (folder / "attention_maps/side_by_side").iterdir()] == ["inf_q0.png"]
    assert (folder / "attention_heat.png").is_file()
    assert (folder / "retrieval.png").is_file()
    again = subprocess.run(
        [sys.executable, "-m", "reports", "attention", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    row = next(line for line in done.stdout.splitlines() if line.startswith("diffllama-inf"))
    assert row in again.stdout.splitlines()
    beyond = typed("benchmarks", *arguments[:-4], "--attention-layers", "9", "--fresh", "--models", "llama")
    assert beyond.returncode == pytest.ExitCode.USAGE_ERROR
    assert "layer 9: the model has layers 0 to 3" in beyond.stderr
    assert "Traceback" not in beyond.stderr

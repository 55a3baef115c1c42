"""A noise that is added to the registry is a noise like the shipped ones: the recipe of docs/howto.md, registered."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from noise import NOISES, Problem, generate_noisy_datasets, inject, inject_all, load_problems, strip
from noise.__main__ import main
from noise.certify import refusal, refusal_reason
from noise.problems.noisy_files import read_noisy
from noise.proposals import Noise
from noise.registry import default_noises
from noise.text.question_features import question_features

pytestmark = pytest.mark.quick
ROOT = Path(__file__).parents[2]
(RECIPE,) = re.findall(r"```python\n(# noise/weather\.py\n.*?)```", (ROOT / "docs/howto.md").read_text("utf-8"), re.S)
PROBLEMS = load_problems("mini")[:40]


@pytest.fixture
def weather(monkeypatch: pytest.MonkeyPatch) -> Noise:
    scope: dict[str, object] = {}
    exec(RECIPE, scope)
    noise = scope["WEATHER"]
    assert isinstance(noise, Noise)
    monkeypatch.setitem(NOISES, noise.name, noise)
    return noise


def test_it_proposes_from_the_features_of_a_question(weather: Noise) -> None:
    problem = PROBLEMS[0]
    features = question_features(problem.question)
    proposal = weather.propose(features, Random(0))
    assert refusal_reason(features, proposal.text, weather.carries, problem.target) is None


@pytest.mark.parametrize(("name", "dose"), [("weather", 1), ("weather4", 4)])
def test_it_is_injected_certified_and_stripped(weather: Noise, name: str, dose: int) -> None:
    for problem in PROBLEMS:
        noisy = inject(problem, name, seed=1)
        assert noisy == inject(problem, name, seed=1)
        assert strip(noisy) == problem.question
        sentences = [noisy.question[start:stop].strip() for start, stop in noisy.spans]
        assert len(set(sentences)) == dose
        for sentence in sentences:
            assert refusal(problem.question, sentence, weather.carries, problem.target) is None


@pytest.mark.usefixtures("weather")
def test_it_is_injected_into_many_problems() -> None:
    assert list(inject_all(PROBLEMS, "weather4")) == [inject(problem, "weather4") for problem in PROBLEMS]


@pytest.mark.usefixtures("weather")
def test_more_distractors_than_it_has_sentences_are_refused() -> None:
    """It has twelve. The message names the problem and the noise."""
    problem = Problem("pears", "Ida has 12 pears. She eats 5 pears. How many pears does Ida have left?", "#### 7")
    assert len(inject(problem, "weather12").spans) == 12
    with pytest.raises(RuntimeError, match="problem 'pears': no other sentence of the noise 'weather' is certified"):
        inject(problem, "weather13")


@pytest.mark.usefixtures("weather")
def test_a_file_of_it_is_written_by_default(tmp_path: Path) -> None:
    paths = generate_noisy_datasets("mini:new-names", folder=tmp_path)
    assert tuple(paths) == default_noises()
    assert list(paths)[-1] == "weather"
    assert paths["weather"].name == "mini_weather_new-names.jsonl"
    assert {noisy.noise for noisy in read_noisy(paths["weather"])} == {"weather"}


@pytest.mark.usefixtures("weather")
def test_the_command_writes_a_file_of_it(tmp_path: Path) -> None:
    assert main(["--problems", "mini:new-names", "--datasets", "weather,weather4", "--out", str(tmp_path)]) == 0
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["mini_weather4_new-names.jsonl", "mini_weather_new-names.jsonl", "noise.json"]


@pytest.mark.usefixtures("weather")
def test_a_misspelling_of_it_is_told() -> None:
    with pytest.raises(ValueError, match=r"unknown noise 'wether'\. Did you mean 'weather'\? Known: .*, weather\."):
        inject(PROBLEMS[0], "wether")


def test_it_is_a_dataset_of_the_benchmark(tmp_path: Path) -> None:
    """Registered in a process of its own, as a plugin would: its cells are collected, of one distractor and of four."""
    plugin = f"{RECIPE}\nfrom noise import NOISES\n\nNOISES[WEATHER.name] = WEATHER\n"
    (tmp_path / "weather_plugin.py").write_text(plugin, "utf-8")
    command = [
        sys.executable,
        "-c",
        "import sys, pytest; sys.path.insert(0, sys.argv[1]); sys.exit(pytest.main(sys.argv[2:]))",
    ]
    arguments = ["-p", "weather_plugin", "-p", "no:cacheprovider", "benchmarks", "--collect-only", "-q"]
    selection = ["--models", "llama", "--datasets", "clean,weather,weather4", "--skip-sft", "--skip-attention"]
    done = subprocess.run(
        [*command, str(tmp_path), *arguments, *selection], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = ["llama-clean-zero_shot", "llama-weather-zero_shot", "llama-weather4-zero_shot"]
    assert re.findall(r"\[(.+)\]", done.stdout) == cells

"""A noise from outside the repository: a file of sentences, or a package with an entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from noise import NOISES, Problem, generate_noisy_datasets, inject, strip
from noise.__main__ import main
from noise.certify import refusal
from noise.sentence_files import SENTENCE_FILES, add_sentence_file

pytestmark = pytest.mark.quick
ROOT = Path(__file__).parents[2]
CATS = ["Far away, cats were dozing.", "Far away, wind was blowing.", "Rain was falling softly."]
BUSES = ["A bus to Lima seats 77 people.", "In Lima, 12 times 6 is 72.", "A hotel in Quito has 931 rooms."]
PACKAGE = """
from noise.proposals import Noise, Proposal


def _propose(features, rng):
    return Proposal(rng.choice(["Rain was falling softly.", "Far away, wind was blowing."]), "weather")


WEATHER = Noise("weather", "the weather", "nothing", _propose, _propose)
"""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test registers is gone afterwards."""
    before, files = dict(NOISES), dict(SENTENCE_FILES)
    yield
    for now, then in ((NOISES, before), (SENTENCE_FILES, files)):
        now.clear()
        now.update(then)  # type: ignore[arg-type]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n\n", "utf-8")
    return path


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("sentences", "carries"), [(CATS[1:], "nothing"), (BUSES, "numbers"), (BUSES[1:2], "sums")])
def test_sentences_are_drawn_certified_and_stripped(tmp_path: Path, sentences: list[str], carries: str) -> None:
    name = add_sentence_file(str(write(tmp_path / "mine.txt", sentences)))
    assert (name, NOISES[name].carries) == ("mine", carries)
    drawn = set()
    for number in range(200, 240):
        asks = "She buys 2 more pens. How many pens does Ann have?"
        problem = Problem(str(number), f"Ann has {number + 3} pens. {asks}", f"#### {number + 5}")
        noisy = inject(problem, name, seed=2)
        ((start, stop),) = noisy.spans
        drawn.add(noisy.question[start:stop].strip())
        assert strip(noisy) == problem.question
        assert refusal(problem.question, noisy.templates[0], NOISES[name].carries, problem.target) is None
    assert drawn == set(sentences)


@pytest.mark.usefixtures("registry")
def test_a_draw_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    add_sentence_file(f"cats={write(tmp_path / 'x.txt', CATS[1:])}")
    files = [
        generate_noisy_datasets("mini:new-names", ["cats"], folder=tmp_path / str(n), processes=n)["cats"]
        for n in (1, 2)
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.usefixtures("registry")
def test_the_command_writes_a_file_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "cats.txt", CATS[1:])
    typed = [
        "--problems",
        "mini:new-names",
        "--noise-file",
        str(path),
        "--datasets",
        "cats,cats2",
        "--out",
        str(tmp_path),
    ]
    assert main(typed) == 0
    assert "mini_cats2_new-names.jsonl" in capsys.readouterr().out
    entry = json.loads((tmp_path / "noise.json").read_text())["files"]["mini_cats_new-names.jsonl"]
    assert set(entry["templates"]) == set(CATS[1:])


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("text", "lines", "message"),
    [
        ("inf={}", CATS, "expected a name of its own, got that of the dataset 'inf'"),
        ("CLEAN={}", CATS, "expected a name of its own, got that of the dataset 'clean'"),
        ("cats2={}", CATS, "expected a name of letters, digits and . _ + - that ends in no digit"),
        ("a b={}", CATS, "got 'a b'"),
        ("mixed={}", [*CATS, *BUSES], "mine.txt:4: expected sentences that all hold a number or that all hold none"),
        ("empty={}", [""], "mine.txt: expected one JSON object a line, got an empty file"),
        ("none={}.none", CATS, "no such file"),
    ],
)
def test_a_file_that_can_be_no_noise_is_wrong_use(
    tmp_path: Path, text: str, lines: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "mine.txt", lines)
    with pytest.raises(SystemExit) as caught:
        main(["--problems", "mini", "--noise-file", text.format(path)])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def run_with_package(tmp_path: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where a package `weather-noise` is installed, whose module has the text `module`."""
    (tmp_path / "weather_noise.py").write_text(module)
    installed = tmp_path / "weather_noise-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: weather-noise\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[noise.noises]\nweather = weather_noise:WEATHER\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_noise_of_an_installed_package_is_a_noise(tmp_path: Path) -> None:
    typed = ["noise", "--problems", "mini:new-names", "--datasets", "weather,weather2", "--out", str(tmp_path / "out")]
    done = run_with_package(tmp_path, PACKAGE, *typed, "--processes", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("mini_weather_new-names.jsonl", "mini_weather2_new-names.jsonl", "noise.json")
    }


def test_a_noise_of_an_installed_package_is_a_dataset_of_the_benchmark(tmp_path: Path) -> None:
    cells = ["--models", "llama", "--datasets", "clean,weather", "--skip-sft", "--skip-attention"]
    done = run_with_package(
        tmp_path, PACKAGE, "pytest", "-p", "no:cacheprovider", "benchmarks", "--collect-only", "-q", *cells
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[llama-weather-zero_shot]" in done.stdout


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("import nothing_of_this_name", "the package 'weather-noise' cannot be loaded (ModuleNotFoundError: "),
        ("WEATHER = 3", "expected a Noise of that name from the package 'weather-noise', got int"),
        (PACKAGE.replace('"weather", "the', '"wind", "the'), "got one named 'wind'"),
    ],
)
def test_a_package_that_has_no_such_noise_is_one_sentence(tmp_path: Path, module: str, message: str) -> None:
    done = run_with_package(tmp_path, module, "noise", "--problems", "mini", "--datasets", "weather")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr

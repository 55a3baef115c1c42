"""`python -m tests.mutants [FILE ...]`: change the code in one place at a time, and count what no test notices.

mutmut makes the mutants of functions. Of what stands at the top of a file, numbers are raised by one, and patterns lose
one token or a flag. All mutants of a file are loaded into one process, which collects the file's tests once, notes the
functions that each test calls, and forks for each mutant; the child runs the tests that call the mutated function, the
fastest first, until one fails. mutmut's own runner starts pytest anew for each mutant. Figures: `docs/mutants.md`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import gc
import importlib.util
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

_NOISE = ("noise/test_injection.py", "noise/test_question_segments.py", "noise/test_noisy_files.py")
_STORE = ("reports/test_results_folder.py", "reports/test_readings.py", "reports/test_run_json.py")
_COMPARISONS = ("reports/test_comparisons.py", "reports/test_accuracies.py", "reports/test_paired_tests.py")
#: The tests of each file. They may be fewer than the tests that touch it: only fast ones are worth running this often.
TESTS = {
    "benchmarks/grading.py": ("benchmarks/test_grading.py",),
    "noise/text/number_parsing.py": ("noise/test_number_parsing.py", "benchmarks/test_grading.py"),
    "noise/text/question_segments.py": ("noise/test_question_segments.py",),
    "noise/inject.py": _NOISE,
    "noise/certify.py": ("noise/test_certify.py", "noise/test_injection.py"),
    "noise/problems/infer_distractor_spans.py": ("noise/test_noisy_files.py", "noise/test_problem_sources.py"),
    "models/attention/allocation.py": ("models/test_allocation.py",),
    "models/attention/segment_mass.py": ("models/test_allocation.py",),
    "models/stop_rule.py": ("models/test_stop_rule.py",),
    "reports/stats/proportions.py": _COMPARISONS,
    "reports/stats/paired_tests.py": _COMPARISONS,
    "reports/stats/comparisons.py": _COMPARISONS,
    "reports/stats/power.py": _COMPARISONS,
    "reports/stats/accuracies.py": _COMPARISONS,
    "reports/stats/problem_scores.py": _COMPARISONS,
    "reports/stats/noise_means.py": _COMPARISONS,
    "reports/stats/compare_runs.py": ("reports/test_compare_runs.py",),
    "reports/stats/attention_stats.py": ("reports/test_attention_stats.py",),
    "reports/stats/retrieval_stats.py": ("reports/test_retrieval_stats.py",),
    "reports/store/record_codec.py": _STORE,
    "reports/store/results_folder.py": _STORE,
    "reports/store/cell_files.py": _STORE,
    "reports/store/record_settings_files.py": _STORE,
    "reports/store/folder_lock.py": ("reports/test_folder_lock.py",),
    "reports/store/atomic_io.py": ("reports/test_atomic_io.py", *_STORE),
}
#: Left out: a run of the whole grid, and what measures time, which the mutants' switches take.
_TOO_SLOW = "not second_run_ends_before and not time_is_linear and not is_read_in_one_pass"
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """`function` is the changed one as mutmut names it, None for the top of the file. `switch_on` is for a child."""

    name: str
    function: str | None
    change: str
    switch_on: Callable[[], object]


@dataclass
class Score:
    """How many mutants of one kind a file has, how many were tried, and the changes that no test noticed."""

    total: int
    tried: int
    survivors: list[Mutant] = field(default_factory=list)

    def columns(self) -> str:
        killed = self.tried - len(self.survivors)
        share = f"{killed / self.tried:.0%}" if self.tried else ""
        return f"{self.tried} of {self.total} | {killed} | {len(self.survivors)} | {share} |"


class MutatedLoader(SourceFileLoader):
    """Loads a file together with all mutants of its functions, switched off."""

    def __init__(self, name: str, path: Path, mutated: MutatedFile) -> None:
        super().__init__(name, str(path))
        self.code = mutated.code

    def get_code(self, fullname: str) -> Any:
        return compile(self.code, self.path, "exec", dont_inherit=True)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """https://docs.python.org/3/library/importlib.html#importlib.abc.MetaPathFinder.find_spec"""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None


def function_mutants(module: str, mutated: MutatedFile) -> Iterator[Mutant]:
    lines = mutated.code.splitlines()

    def source_of(function: str) -> list[str]:
        span = mutated.line_span_by_function_name[function]
        return lines[span.start - 1 : span.end]

    for name in mutated.mutant_names:
        function = name.partition("__mutmut_")[0]
        before, after = source_of(f"{function}__mutmut_orig"), source_of(name)
        difference = list(difflib.unified_diff(before, after, lineterm="", n=1))[3:]
        change = "\n".join(line for line in difference if name not in line and "__mutmut_orig" not in line)
        yield Mutant(name, f"{module}.{function}", change, partial(set_mutant_under_test, f"{module}.{name}"))


def top_level_mutants(path: Path, module: ModuleType) -> Iterator[Mutant]:
    """Yield the mutants of the numbers and patterns that a file gives a name, alone or in a tuple."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        for target in getattr(statement, "targets", ()):
            name = getattr(target, "id", "")
            for number, (change, value) in enumerate(_changed(getattr(module, name, None))):
                yield Mutant(f"{name}_{number}", None, f"{name}: {change}", partial(setattr, module, name, value))


def _changed(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield f"{value} is {value + 1}", value + 1
    elif isinstance(value, re.Pattern):
        yield from changed_patterns(value)
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            for change, new in _changed(part):
                yield change, (*value[:index], new, *value[index + 1 :])


_TOKEN = re.compile(r"\\.|\(\?(?:[:=!>]|<[=!]|P<\w+>)|[*+?][+?]?|\{\d*,?\d*\}\+?|.", re.DOTALL)
_OPPOSITE = {"(?=": "(?!", "(?!": "(?=", "(?<=": "(?<!", "(?<!": "(?<="}


def changed_patterns(pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield `pattern` without each of its tokens, with each look-around turned over, and without each of its flags."""
    text = pattern.pattern
    if pattern.flags & re.VERBOSE:
        text = re.sub(r"(?<!\\)\s+#.*", "", text)
    for match in _TOKEN.finditer(text):
        if match[0] in "[]" or (match[0].isspace() and pattern.flags & re.VERBOSE):
            continue
        new = _OPPOSITE.get(match[0], "")
        with contextlib.suppress(re.error):
            before, after = text[: match.start()], text[match.end() :]
            changed = re.compile(before + new + after, pattern.flags)
            yield f"…{before[-20:]}  {match[0]} → {new or 'nothing'}  {after[:20]}…", changed
    for flag in (re.IGNORECASE, re.MULTILINE, re.DOTALL):
        if pattern.flags & flag:
            yield f"without {flag!r}", re.compile(text, pattern.flags & ~flag)


class MutantRunner:
    """Takes the place of pytest's loop over the tests."""

    def __init__(self, path: str, module: str, mutated: MutatedFile, only: str, sample: int, seed: int) -> None:
        self.path, self.module, self.mutated = path, module, mutated
        self.only, self.sample, self.seed = only, sample, seed
        self.scores: list[Score] = []

    def drawn(self) -> Iterator[tuple[Score, Mutant]]:
        """Yield the mutants to try: first those of functions, then those of the top of the file."""
        top = top_level_mutants(_ROOT / self.path, sys.modules[self.module])
        for mutants in list(function_mutants(self.module, self.mutated)), list(top):
            wanted = [mutant for mutant in mutants if re.search(self.only, mutant.name)]
            drawn = random.Random(f"{self.seed} {self.path}").sample(wanted, min(self.sample, len(wanted)))
            self.scores.append(Score(len(mutants), len(drawn)))
            for mutant in sorted(drawn, key=mutants.index):
                yield self.scores[-1], mutant

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Let Hypothesis stop at the first failing example. It is imported here, after pytest has marked its plugins.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
        """
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", deadline=None, database=None, phases=phases, max_examples=30)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtestloop"""
        seconds: dict[pytest.Item, float] = {}
        called: dict[pytest.Item, set[str]] = {}
        set_mutant_under_test("stats")
        for item, after in _with_next(session.items):
            state()._stats.clear()
            start = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            seconds[item], called[item] = time.perf_counter() - start, set(state()._stats)
        if session.testsfailed:
            return True
        set_mutant_under_test("")
        gc.freeze()
        for score, mutant in self.drawn():
            items = [item for item in session.items if mutant.function is None or mutant.function in called[item]]
            items.sort(key=lambda item: seconds[item])
            limit = 5 + 3 * round(sum(seconds[item] for item in items))
            if not _is_killed(mutant, items, limit):
                score.survivors.append(replace(mutant, switch_on=int))  # a partial of a module cannot be pickled
        return True


def _with_next(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _is_killed(mutant: Mutant, items: list[pytest.Item], limit: int) -> bool:
    """Return whether a test fails, or the tests take more than `limit` seconds, with `mutant` switched on."""
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.alarm(10 * limit)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        mutant.switch_on()
        try:
            for item, after in _with_next(items):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if item.session.testsfailed:
                    os._exit(1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):  # what the tests left running
        os.killpg(child, signal.SIGKILL)
    return status != 0


def scores_of(path: str, only: str, sample: int, seed: int) -> list[Score]:
    """Return the two scores of a file. Call it in a process of its own, which has not imported the file."""
    source, module = _ROOT / path, path.removesuffix(".py").replace("/", ".")
    mutated = mutate_file_contents(path, source.read_text(encoding="utf-8"))
    sys.meta_path.insert(0, MutatedLoader(module, source, mutated))  # type: ignore[arg-type]
    runner = MutantRunner(path, module, mutated, only, sample, seed)
    tests = [str(_ROOT / "tests" / name) for name in TESTS[path]]
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", "--hypothesis-seed=0", f"-k{_TOO_SLOW}"]
    output = os.open("/dev/null", os.O_WRONLY)
    terminal = os.dup(1)
    os.dup2(output, 1)
    status = pytest.main([*tests, *options, "-o", "tmp_path_retention_policy=none"], plugins=[runner])
    os.dup2(terminal, 1)
    if status != pytest.ExitCode.OK:
        raise SystemExit(f"{path}: its tests fail without a mutant: python -m pytest {' '.join(tests)}")
    return runner.scores


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="part of a path in TESTS; default: all")
    parser.add_argument("--only", default="", metavar="PATTERN", help="of the names of mutants")
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="mutants of a file, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--survivors", type=Path, default=_ROOT / "survivors.txt", metavar="FILE", help="written")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # a pool of threads does not survive a fork
    paths = [path for path in TESTS if not arguments.files or any(name in path for name in arguments.files)]
    print("| file | in functions | killed | survived | share | at the top | killed | survived | share |")
    print("|---|---|---|---|---|---|---|---|---|")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool, arguments.survivors.open("w") as out:
        for path in paths:
            scores = pool.submit(scores_of, path, arguments.only, arguments.sample, arguments.seed).result()
            print(f"| `{path}` |", *(score.columns() for score in scores), flush=True)
            for mutant in (mutant for score in scores for mutant in score.survivors):
                print(f"{path} {mutant.name}\n{mutant.change}\n", file=out, flush=True)


if __name__ == "__main__":
    main()

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
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

#: Files, and the tests that their mutants are tried on. Other tests may touch them too: these are the fast ones.
GROUPS = {
    ("benchmarks/grading.py", "benchmarks/final_answer.py", "benchmarks/plain_numbers.py"): (
        "benchmarks/test_grading.py",
    ),
    ("noise/text/number_parsing.py",): ("noise/test_number_parsing.py", "benchmarks/test_grading.py"),
    ("noise/text/question_segments.py",): ("noise/test_question_segments.py",),
    ("noise/inject.py", "noise/certify.py"): ("noise/test_certify.py", "noise/test_injection.py"),
    ("noise/placebos.py", "noise/placebo_sentences.py"): ("noise/test_placebos.py",),
    ("noise/problems/infer_distractor_spans.py",): ("noise/test_noisy_files.py",),
    ("models/attention/allocation.py", "models/attention/segment_mass.py"): ("models/test_allocation.py",),
    ("models/stop_rule.py",): ("models/test_stop_rule.py",),
    (
        "reports/stats/proportions.py",
        "reports/stats/paired_tests.py",
        "reports/stats/power.py",
        "reports/stats/problem_scores.py",
        "reports/stats/noise_means.py",
        "reports/stats/comparisons.py",
        "reports/stats/comparison_rows.py",
        "reports/stats/placebo_comparisons.py",
        "reports/stats/accuracies.py",
        "reports/stats/compare_runs.py",
    ): (
        "reports/test_proportions.py",
        "reports/test_paired_tests.py",
        "reports/test_power.py",
        "reports/test_comparisons.py",
        "reports/test_placebo_comparisons.py",
        "reports/test_compare_runs.py",
        "reports/test_accuracies.py",
        "reports/test_likelihood_reports.py",
    ),
    ("reports/stats/attention_stats.py",): ("reports/test_attention_stats.py",),
    ("reports/stats/retrieval_stats.py",): ("reports/test_retrieval_stats.py",),
    (
        "reports/store/record_codec.py",
        "reports/store/results_folder.py",
        "reports/store/cell_files.py",
        "reports/store/record_settings_files.py",
        "reports/store/atomic_io.py",
    ): (
        "reports/test_record_codec.py",
        "reports/test_results_folder.py",
        "reports/test_readings.py",
        "reports/test_atomic_io.py",
    ),
    ("reports/store/folder_lock.py",): ("reports/test_folder_lock.py",),
}
#: Left out: a run of the whole grid, and what measures time, which the mutants' switches take.
_TOO_SLOW = " and ".join(
    f"not {name}"
    for name in (
        *("second_run_ends_before", "time_is_linear", "one_pass", "well_over_200"),
        *("cut_anywhere", "two_workers", "four_of_five_runs"),
    )
)
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
    """How many mutants of one kind a file has, how many were tried, and how many no test noticed."""

    total: int
    tried: int
    survived: int = 0

    def columns(self) -> str:
        killed = self.tried - self.survived
        share = f"{killed / self.tried:.0%}" if self.tried else ""
        return f"{self.tried} of {self.total} | {killed} | {self.survived} | {share} |"


class MutatedLoader(SourceFileLoader):
    """Loads a file together with all mutants of its functions, switched off."""

    def __init__(self, path: str) -> None:
        super().__init__(path.removesuffix(".py").replace("/", "."), str(_ROOT / path))
        self.mutated = mutate_file_contents(path, Path(self.path).read_text(encoding="utf-8"))

    def get_code(self, fullname: str) -> Any:
        return compile(self.mutated.code, self.path, "exec", dont_inherit=True)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """https://docs.python.org/3/library/importlib.html#importlib.abc.MetaPathFinder.find_spec"""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None


def function_mutants(loader: MutatedLoader) -> Iterator[Mutant]:
    module, mutated = loader.name, loader.mutated
    lines = mutated.code.splitlines()

    def source_of(function: str) -> list[str]:
        span = mutated.line_span_by_function_name[function]
        return lines[span.start - 1 : span.end]

    for name in mutated.mutant_names:
        function = name.partition("__mutmut_")[0]
        before, after = source_of(f"{function}__mutmut_orig"), source_of(name)
        after[0] = after[0].replace(name, f"{function}__mutmut_orig")
        change = "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=1))[3:])
        yield Mutant(name, f"{module}.{function}", change, partial(set_mutant_under_test, f"{module}.{name}"))


def top_level_mutants(loader: MutatedLoader) -> Iterator[Mutant]:
    """Yield the mutants of the numbers and patterns that a file gives a name, alone or in a tuple."""
    module = sys.modules[loader.name]
    for statement in ast.parse(Path(loader.path).read_text(encoding="utf-8")).body:
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


def changed_patterns(pattern: re.Pattern[Any]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield `pattern` without each of its tokens, with each look-around turned over, and without each of its flags."""
    is_text = isinstance(pattern.pattern, str)
    text = pattern.pattern if is_text else pattern.pattern.decode("latin-1")

    def compiled(changed: str, flags: int = pattern.flags) -> re.Pattern[Any]:
        return re.compile(changed if is_text else changed.encode("latin-1"), flags)

    if pattern.flags & re.VERBOSE:
        text = re.sub(r"(?<!\\)\s+#.*", "", text)
    for match in _TOKEN.finditer(text):
        if match[0] in "[]" or (match[0].isspace() and pattern.flags & re.VERBOSE):
            continue
        new = _OPPOSITE.get(match[0], "")
        with contextlib.suppress(re.error):
            before, after = text[: match.start()], text[match.end() :]
            changed = compiled(before + new + after)
            yield f"…{before[-20:]}  {match[0]} → {new or 'nothing'}  {after[:20]}…", changed
    for flag in (re.IGNORECASE, re.MULTILINE, re.DOTALL):
        if pattern.flags & flag:
            yield f"without {flag!r}", compiled(text, pattern.flags & ~flag)


class MutantRunner:
    """Takes the place of pytest's loop over the tests, and reports a row for each file."""

    def __init__(self, loaders: list[MutatedLoader], arguments: argparse.Namespace, report: Callable[[str], None]):
        self.loaders, self.arguments, self.report = loaders, arguments, report
        self.failures: list[str] = []

    def drawn(self, path: str, mutants: list[Mutant]) -> list[Mutant]:
        wanted = [mutant for mutant in mutants if re.search(self.arguments.only, f"{path} {mutant.name}")]
        rng = random.Random(f"{self.arguments.seed} {path}")
        return sorted(rng.sample(wanted, min(self.arguments.sample, len(wanted))), key=mutants.index)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Let Hypothesis stop at the first failing example. It is imported here, after pytest has marked its plugins.

        https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_configure
        """
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", deadline=None, database=None, phases=phases, max_examples=30)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtest_logreport"""
        if report.failed:
            self.failures.append(f"{report.nodeid}\n{report.longreprtext}")

    def pytest_internalerror(self, excrepr: object) -> None:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_internalerror"""
        self.failures.append(str(excrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_runtestloop"""
        seconds: dict[pytest.Item, float] = {}
        called: dict[pytest.Item, set[str]] = {}
        set_mutant_under_test("stats")
        for item, after in _with_next(session.items):
            state()._stats.clear()
            start = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            seconds[item], called[item] = time.process_time() - start, set(state()._stats)
        if session.testsfailed:
            return True
        set_mutant_under_test("")
        gc.freeze()
        for loader in self.loaders:
            path, columns = str(Path(loader.path).relative_to(_ROOT)), []
            for mutants in list(function_mutants(loader)), list(top_level_mutants(loader)):
                score = Score(len(mutants), 0)
                for mutant in self.drawn(path, mutants):
                    items = [item for item in session.items if mutant.function in (None, *called[item])]
                    score.tried += 1
                    if not _is_killed(mutant, self.fastest(items, seconds), seconds):
                        score.survived += 1
                        with self.arguments.survivors.open("a", encoding="utf-8") as file:
                            file.write(f"{path} {mutant.name}\n{mutant.change}\n\n")
                columns.append(score.columns())
            self.report(f"| `{path}` | {' '.join(columns)}\n")
        return True

    def fastest(self, items: list[pytest.Item], seconds: dict[pytest.Item, float]) -> list[pytest.Item]:
        """Return the items, the fastest first, as far as the time for one mutant goes."""
        items = sorted(items, key=lambda item: seconds[item])
        ends = accumulate(seconds[item] for item in items)
        return [item for item, end in zip(items, ends, strict=True) if end < self.arguments.seconds]


def _with_next(items: list[pytest.Item]) -> Iterator[tuple[Any, Any]]:
    return zip_longest(items, items[1:])


def _is_killed(mutant: Mutant, items: list[pytest.Item], seconds: dict[pytest.Item, float]) -> bool:
    """Return whether a test fails, or the tests take much longer than before, with `mutant` switched on."""
    limit = 3 + 2 * round(sum(seconds[item] for item in items))
    child = os.fork()
    if child == 0:
        os.setpgrp()
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


def try_group(paths: list[str], tests: tuple[str, ...], arguments: argparse.Namespace) -> None:
    """Print the rows of files. Call it in a process of its own, which has not imported them."""
    loaders = [MutatedLoader(path) for path in paths]
    sys.meta_path[:0] = loaders  # type: ignore[arg-type]
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", "--hypothesis-seed=0", f"-k{_TOO_SLOW}"]
    selected = [str(_ROOT / "tests" / name) for name in tests]
    terminal = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    runner = MutantRunner(loaders, arguments, lambda row: os.write(terminal, row.encode()) and None)
    status = pytest.main([*selected, *options, "-o", "tmp_path_retention_policy=none"], plugins=[runner])
    os.dup2(terminal, 1)
    if status != pytest.ExitCode.OK:
        raise SystemExit("\n\n".join([f"the tests of {', '.join(paths)} fail without a mutant:", *runner.failures]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="part of a path in GROUPS; default: all")
    parser.add_argument("--only", default="", metavar="PATTERN", help="of the names of mutants")
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="mutants of a file, drawn at random")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draw")
    parser.add_argument("--seconds", type=float, default=6.0, metavar="S", help="of processor time for one mutant")
    parser.add_argument("--survivors", type=Path, default=_ROOT / "survivors.txt", metavar="FILE", help="is written")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # a pool of threads does not survive a fork
    arguments.survivors.write_bytes(b"")
    print("| file | in functions | killed | survived | share | at the top | killed | survived | share |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for group, tests in GROUPS.items():
            paths = [path for path in group if not arguments.files or any(name in path for name in arguments.files)]
            if paths:
                pool.submit(try_group, paths, tests, arguments).result()


if __name__ == "__main__":
    main()

"""The arrows between the rooms, and what collecting the grid may cost."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick
ROOT = Path(__file__).parents[1]
#: Which rooms each room may import from.
MAY_IMPORT = {
    "noise": set(),
    "models": {"noise"},
    "reports": set(),
    "benchmarks": {"noise", "models", "reports"},
}
#: Of `noise`, `models` uses the problems and the mini corpus; the command `chat` puts noise in.
MODELS_MAY_USE = ("noise.problems.problem", "noise.mini")
CHAT_MAY_USE = (*MODELS_MAY_USE, "noise.inject", "noise.registry")
#: What `noise` may import besides the standard library: inside the function that needs it, or in its command.
NOISE_WHEN_ASKED = {"datasets", "fsspec", "tqdm"}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every absolute import of a file, and whether it is made when the file is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, id(node) not in inside


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_from_the_rooms_below_it(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        for module, _ in imports(path):
            other = module.partition(".")[0]
            assert other not in MAY_IMPORT or other == room or other in MAY_IMPORT[room], f"{path}: {module}"
            if room == "models" and other == "noise":
                allowed = CHAT_MAY_USE if path.name == "chat.py" else MODELS_MAY_USE
                assert module.startswith(allowed), f"{path}: {module}"


def test_noise_needs_the_standard_library_alone() -> None:
    for path in sorted((ROOT / "noise").rglob("*.py")):
        for module, at_once in imports(path):
            package = module.partition(".")[0]
            fine = package == "noise" or package in sys.stdlib_module_names
            asked = not at_once or path.name == "__main__.py"
            assert fine or (asked and package in NOISE_WHEN_ASKED), f"{path}: {module}"


@pytest.mark.parametrize("room", ["reports", "noise"])
def test_no_torch_below_the_models(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        assert not {"torch", "transformers"} & {module.partition(".")[0] for module, _ in imports(path)}, path


def test_collecting_the_benchmarks_imports_neither_torch_nor_transformers() -> None:
    """So that `--collect-only`, a misspelt option and `-k nothing` answer at once."""
    code = (
        "import sys, pytest\n"
        "status = pytest.main(['benchmarks', '--collect-only', '-q', '-p', 'no:cacheprovider'])\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'scipy', 'matplotlib', 'fsspec'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
        "sys.exit(int(status) or len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "diffllama-inf-zero_shot" in done.stdout


@pytest.mark.parametrize("room", MAY_IMPORT)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_command_prints_escapes_where_the_output_is_not_utf_8(room: str, encoding: str) -> None:
    """In place of a traceback. The rooms import nothing in common, so each has the same three lines."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{room}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{room}', run_name='__main__')\n"
        "except SystemExit as done:\n"
        "    print('\\u2713 \\u03bb \\u2212')\n"
        "    print('\\u2026', file=sys.stderr)\n"
        "    sys.exit(done.code)"
    )
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(rb"\u2713 \u03bb \u2212" + os.linesep.encode())
    assert done.stderr.endswith(rb"\u2026" + os.linesep.encode())


#: Words that say nothing as the name of a thing.
EMPTY_NAMES = {"found", "some", "one", "place", "places", "said", "told", "looks", "utils", "helper", "misc", "process"}


def sources() -> list[Path]:
    return [ROOT / "conftest.py", *(path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py")))]


def test_no_two_files_have_the_same_name() -> None:
    """A name in a traceback or an editor's tab is then one file."""
    shared = {"__init__.py", "__main__.py", "conftest.py"}  # the names that Python and pytest ask for
    names = Counter(path.name for path in [*sources(), *sorted((ROOT / "tests").rglob("*.py"))])
    assert [name for name, count in names.items() if count > 1 and name not in shared] == []


def test_no_name_says_nothing() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    pass
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    pass
                case _:
                    continue
            assert name.strip("_") not in EMPTY_NAMES, f"{path}, line {node.lineno}: {name}"


def test_errors_below_the_benchmarks_name_no_option_of_pytest() -> None:
    """They speak of parameters and things; `benchmarks/error_remedies.py` adds the option."""
    from benchmarks.options import add_skip_options, pytest_addoption

    options: list[str] = []

    class Group:
        def addoption(self, *names: str, **kwargs: object) -> None:
            options.extend(names)

    class Parser:
        def getgroup(self, name: str) -> Group:
            return Group()

    for add in (pytest_addoption, add_skip_options):
        add(Parser())  # type: ignore[arg-type]
    assert {"--models", "--skip-sft"} <= set(options)
    for path in sources():
        if path.is_relative_to(ROOT / "benchmarks") or path.name in ("__main__.py", "conftest.py"):
            continue
        if path.is_relative_to(ROOT / "models" / "commands"):
            continue  # commands have options of their own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None:
                text = " ".join(part.value for part in ast.walk(node.exc) if isinstance(part, ast.Constant)
                                and isinstance(part.value, str))  # fmt: skip
                named = [option for option in options if re.search(rf"{option}(?![\w-])", text)]
                assert not named, f"{path}, line {node.lineno}: {named}"


def test_the_lock_has_the_versions_of_the_requirements_and_hashes_for_every_package() -> None:
    """`make lock` writes it again."""

    def versions(text: str) -> dict[str, str]:
        pinned = re.findall(r"(?m)^([\w.-]+)==(\S+)", text)
        return {name.replace("_", "-").lower(): version for name, version in pinned}

    lock = (ROOT / "requirements.lock").read_text()
    assert versions((ROOT / "requirements.txt").read_text()).items() <= versions(lock).items()
    packages = re.split(r"(?m)^(?=[a-z])", lock)[1:]
    assert len(packages) == len(versions(lock)) > 50
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", package) for package in packages)

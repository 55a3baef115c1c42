"""Lists of datasets in which files stand: paired sets (`NAME=FILE`), and noises from files of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.choices import choose_datasets, listed
from benchmarks.dataset_files import CERTIFIED, DatasetFiles
from benchmarks.plan_errors import PlanError, escaped
from noise.problems.remote_files import local_copy
from noise.problems.text_files import check_regular_file
from noise.sentence_files import add_sentence_file, check_name


def choose_dataset_files(
    datasets: str | Sequence[str], noise_files: Iterable[str] = (), certified_only: bool = False
) -> tuple[tuple[str, ...], DatasetFiles]:
    """Return the datasets of a list, in its order, and the files that some of them come from.

    `NAME=FILE` is a paired set; `noise_files` are those that were registered before. Raises `PlanError` for a name that
    is taken, a missing file and an unknown dataset, and for `certified_only` without a paired set.
    """
    names, paired = list[str](), dict[str, str]()
    for text in map(str.strip, listed("datasets", datasets)):
        name, equals, path = text.partition("=")
        if not equals:
            names += [text] if text else []
            continue
        _check_set(name, path, text, paired)
        dataset = name + CERTIFIED * certified_only
        paired[dataset] = path
        names.append(dataset)
    if certified_only and not paired:
        raise PlanError("{certified_only:name} is about paired sets, NAME=FILE in {datasets:name}, and there is none")
    drawn = choose_datasets([name for name in names if name not in paired]) if set(names) - set(paired) else ()
    if not names:
        choose_datasets(names)  # says which there are
    chosen = tuple(name for name in dict.fromkeys(names) if name in paired or name in drawn)
    return chosen, DatasetFiles(paired, dict(item.rpartition("=")[::2] for item in noise_files), certified_only)


def register_noise_files(texts: Iterable[str]) -> list[str]:
    """Register the noises of sentence files, and return each as `NAME=FILE`. Raises `PlanError` for a bad one."""
    registered = []
    for text in texts:
        try:
            name = add_sentence_file(text)
        except (ValueError, OSError) as error:
            raise PlanError(f"{{noise_file:name}} {escaped(str(error))}") from None
        registered.append(f"{name}={text.partition('=')[2] or text}")
    return registered


def _check_set(name: str, path: str, text: str, others: Mapping[str, str]) -> None:
    """Raise `PlanError` for a paired set whose name is taken, or whose file is missing."""
    if not path:
        raise PlanError(f"{{datasets:name}} {escaped(repr(text))}: expected NAME=FILE, got no file")
    try:
        check_name(name, text)
        with local_copy(path) as copy:  # of a URL, all of it is fetched
            check_regular_file(copy)
    except (ValueError, OSError) as error:
        raise PlanError(f"{{datasets:name}} {escaped(str(error))}") from None
    if name.casefold() in {other.removesuffix(CERTIFIED).casefold() for other in others}:
        raise PlanError(f"{{datasets:name}}: expected a different name for each set, got {escaped(repr(name))} twice")

"""Write clean and noisy problems as tasks of lm-evaluation-harness, in a folder for its `--include_path`.

The harness need not be installed. The form of a task is that of its docs/task_guide.md, version 0.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from noise.placement import LAST, Placement
from noise.problems.bad_lines import BadLine
from noise.problems.jsonl import atomic_file, write_line
from noise.problems.noisy_files import Progress, noisy_file, write_noisy_files
from noise.problems.problem_sources import load_problems
from noise.registry import find_noise

CLEAN = "clean"
#: The reader of the problems. A path in a task would break when the folder moves.
_READER = '''\
"""Reads the problems that lie beside this file."""

from pathlib import Path

import datasets


def __getattr__(name):
    path = Path(__file__).with_name(f"{name}.jsonl")

    def load(**given):
        return datasets.load_dataset("json", data_files={"test": str(path)})

    return load
'''
_TASK = """\
# made by `python -m noise --format lm-eval`
task: {name}
tag:
  - {tag}
custom_dataset: !function {reader}.{name}
output_type: generate_until
test_split: test
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_target: "{{{{answer}}}}"
num_fewshot: 0
generation_kwargs:
  until:
    - "\\nQuestion:"
  do_sample: false
  temperature: 0.0
  max_gen_toks: 256
filter_list:
  - name: strict-match
    filter:
      - function: regex
        regex_pattern: "#### (\\\\-?[0-9\\\\.\\\\,]+)"
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    regexes_to_ignore:
      - ","
      - "\\\\$"
      - "(?s).*#### "
      - "\\\\.$"
"""


def write_lm_eval_tasks(
    source: str | Path,
    names: Sequence[str],
    seed: int = 0,
    folder: str | Path = "data",
    progress: Progress | None = None,
    processes: int = 1,
    bad_lines: list[BadLine] | None = None,
    overwrite: bool = True,
    templates: dict[str, Counter[str]] | None = None,
    placement: Placement = LAST,
) -> dict[str, Path]:
    """Write a task for the clean problems of `source` and one for each noise of `names` into `folder`.

    Return the path of the problems by task. All tasks have the tag `noisy_<problems>`, which runs them together. Prompt
    and token limit are ours; the answer is the number after `####`, as in the harness's own task `gsm8k`. Raises what
    `generate_noisy_datasets` raises.
    """
    for name in names:
        find_noise(name)
    problems, clean = load_problems(source, bad_lines=bad_lines), noisy_file(source, CLEAN, folder)
    with atomic_file(clean, overwrite) as file:
        for problem in progress(problems, CLEAN) if progress else problems:
            write_line(file, {"id": problem.id, "question": problem.question, "answer": problem.answer})
    noisy = write_noisy_files(
        problems, source, names, seed, folder, progress, processes, overwrite, templates, placement
    )
    reader = reader_file(clean)
    tag = reader.stem.removeprefix("read_")
    with atomic_file(reader, overwrite) as file:
        file.write(_READER)
    paths = {CLEAN: clean, **noisy}
    for path in paths.values():
        with atomic_file(path.with_suffix(".yaml"), overwrite) as file:
            file.write(_TASK.format(name=path.stem, tag=tag, reader=reader.stem))
    return {path.stem: path for path in paths.values()}


def reader_file(clean: Path) -> Path:
    """Return the path of the tasks' reader, beside the file of the `clean` problems."""
    return clean.with_name(f"read_noisy_{clean.stem.replace(f'_{CLEAN}', '')}.py")

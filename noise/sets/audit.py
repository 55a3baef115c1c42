"""Audit a paired set: which of its lines are certified, why the others are not, and how near its distractors are."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noise.problems.jsonl import atomic_file
from noise.sets.certify_pair import certificate_refusal, kind_of_reason
from noise.sets.paired_sets import PairedSet
from noise.sets.strength import COLUMNS, Strength, strength_of, strength_shares

CERTIFIED, NOT_CERTIFIED, NOT_USED = "certified", "not certified", "not used"


@dataclass(frozen=True)
class AuditedLine:
    """A line of a set: its number, from 1, what became of it, why, what was added, and what that shares."""

    number: int
    verdict: str
    reason: str = ""
    id: str = ""
    distractor: str = ""
    strength: Strength | None = None


@dataclass(frozen=True)
class Audit:
    """Every line of a set, in order, the number of lines by verdict and by kind of reason, and shares of strength."""

    path: Path
    sha256: str
    lines: tuple[AuditedLine, ...]
    verdicts: Mapping[str, int]
    reasons: Mapping[str, int]
    shares: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return the audit without its lines, as JSON values."""
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            "lines": dict(self.verdicts),
            "reasons": dict(self.reasons),
            "distractors": self.verdicts[CERTIFIED] + self.verdicts[NOT_CERTIFIED],
            "shares": dict(self.shares),
        }


def audit(paired: PairedSet) -> Audit:
    """Return the audit of a paired set."""
    lines = [AuditedLine(n, NOT_USED, reason) for reason, numbers in paired.refused.items() for n in numbers]
    kinds = Counter[str]()
    for pair in paired.pairs:
        noisy, reason = pair.noisy, certificate_refusal(pair.noisy)
        if reason is not None:
            kinds[kind_of_reason(reason)] += 1
        added = " … ".join(noisy.question[start:stop].strip() for start, stop in noisy.spans)
        verdict = CERTIFIED if reason is None else NOT_CERTIFIED
        lines.append(AuditedLine(pair.number, verdict, reason or "", noisy.problem.id, added, strength_of(noisy)))
    lines.sort(key=lambda line: line.number)
    verdicts = Counter(line.verdict for line in lines)
    return Audit(
        path=paired.path,
        sha256=paired.sha256,
        lines=tuple(lines),
        verdicts={verdict: verdicts[verdict] for verdict in (CERTIFIED, NOT_CERTIFIED, NOT_USED)},
        reasons=dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
        shares=strength_shares(pair.noisy for pair in paired.pairs)[1],
    )


def write_audit_csv(audited: Audit, path: Path, overwrite: bool = False) -> None:
    """Write one record a line of the set: number, verdict, reason, id, distractor, and 1 or 0 for each share.

    `overwrite` is that of `atomic_file`. Raises what `atomic_file` raises.
    """
    with atomic_file(path, overwrite) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["line", "verdict", "reason", "id", "distractor", *COLUMNS])
        for line in audited.lines:
            strength = line.strength
            shares = ["" if strength is None else int(getattr(strength, column)) for column in COLUMNS]
            table.writerow([line.number, line.verdict, line.reason, line.id, line.distractor, *shares])

"""The fuzz targets, by name."""

from __future__ import annotations

from tests.fuzz.answer_cases import ANSWERS
from tests.fuzz.certificate_cases import CERTIFICATES
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.injection_cases import INJECTIONS
from tests.fuzz.problem_file_cases import PROBLEM_FILES
from tests.fuzz.record_cases import RECORDS

TARGETS: dict[str, FuzzTarget] = {
    target.name: target for target in (ANSWERS, PROBLEM_FILES, RECORDS, CERTIFICATES, INJECTIONS)
}

"""The experiments. `pytest benchmarks` runs them; `run_comprehensive_evaluation` does the same from Python."""

from benchmarks.comprehensive import run_comprehensive_evaluation

__all__ = ["run_comprehensive_evaluation"]

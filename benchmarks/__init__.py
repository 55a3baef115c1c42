"""The experiments. `pytest benchmarks` runs them; the functions here do the same from Python."""

from benchmarks.attention_comparison import compare_attention_patterns
from benchmarks.comprehensive_evaluation import run_comprehensive_evaluation

__all__ = ["compare_attention_patterns", "run_comprehensive_evaluation"]

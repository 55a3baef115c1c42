"""What a run of an experiment imports. Nothing is computed here: threads that compute would not be forked."""

import datasets  # noqa: F401
import matplotlib.figure  # noqa: F401
import pandas  # noqa: F401
import peft  # noqa: F401
import scipy.optimize
import scipy.signal
import scipy.stats  # noqa: F401
import statsmodels.stats.multitest
import statsmodels.stats.proportion  # noqa: F401
import torch  # noqa: F401
import transformers.models.diffllama.modeling_diffllama
import transformers.models.llama.modeling_llama
import transformers.trainer  # noqa: F401

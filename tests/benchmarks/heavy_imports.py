"""What a run of an experiment imports and generates. No tensor is computed here: its threads would not be forked."""

import gc

import anyio.pytest_plugin
import datasets
import hypothesis
import matplotlib.backends.backend_agg
import matplotlib.figure
import pandas
import peft
import scipy.optimize
import scipy.signal
import scipy.stats
import statsmodels.stats.multitest
import statsmodels.stats.proportion
import torch
import transformers.models.diffllama.modeling_diffllama
import transformers.models.llama.modeling_llama
import transformers.trainer  # noqa: F401

from noise import mini

for split in ("test", "train"):
    mini.problems(split)  # kept by their module
gc.freeze()  # pytest collects garbage several times a run, and none of this is garbage

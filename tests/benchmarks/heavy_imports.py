"""What a run of an experiment imports and generates. No tensor is computed here: its threads would not be forked."""

import gc
import importlib
import importlib.metadata

from noise import mini

for plugin in importlib.metadata.entry_points(group="pytest11"):
    plugin.load()
for module in """datasets hypothesis matplotlib.backends.backend_agg matplotlib.figure pandas peft scipy.optimize
scipy.signal scipy.stats statsmodels.stats.multitest statsmodels.stats.proportion torch
transformers.models.diffllama.modeling_diffllama transformers.models.llama.modeling_llama
transformers.trainer""".split():
    importlib.import_module(module)
for split in ("test", "train"):
    mini.problems(split)  # kept by their module
gc.freeze()  # pytest collects garbage several times a run, and none of this is garbage

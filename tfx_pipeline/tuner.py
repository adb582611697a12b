"""Tuner's entry point. TFX reloads this module, so it holds functions only."""

from __future__ import annotations

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from tfx_pipeline.trainer import data, load
from tfx_pipeline.tuning import GridTuner


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Searches on the same training pairs as the Trainer will see."""
    features, config = load(fn_args)
    dataset = data(fn_args, features)
    tuner = GridTuner(config, Path(fn_args.working_dir))
    return TunerFnResult(tuner=tuner, fit_kwargs={"dataset": dataset})

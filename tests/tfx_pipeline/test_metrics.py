"""The Evaluator's mean over rows of which some are not measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from tfx_pipeline.metrics import MeanOutput

NAN = float("nan")


def mean(*bundles: list[float]) -> float:
    """The mean of one output, added up in bundles as Beam's workers do."""
    (computation,) = MeanOutput("hr@10").computations(model_names=[""])
    combiner, accumulators = computation.combiner, []
    for values in bundles:
        accumulator: Any = combiner.create_accumulator()
        for value in values:
            row = {"hr@10": np.array([value], np.float32)}
            inputs = metric_types.StandardMetricInputs(prediction=row)
            accumulator = combiner.add_input(accumulator, inputs)
        accumulators.append(accumulator)
    merged = combiner.merge_accumulators(accumulators)
    (found,) = combiner.extract_output(merged).values()
    return float(found)


def test_a_row_that_is_not_measured_does_not_count() -> None:
    assert mean([1.0, NAN, 0.0], [NAN], [0.25, 0.75]) == pytest.approx(0.5)


def test_a_mean_of_none_is_not_measured_and_passes_no_threshold() -> None:
    found = mean([NAN, NAN], [])
    assert np.isnan(found)
    assert not found >= 0.0

"""The Evaluator's metric: the mean of one output of the signature `evaluate`.

The model ranks; TFMA only averages, overall and by slice.
"""

from __future__ import annotations

from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

Accumulator = tuple[float, int]


class MeanOutput(metric_types.Metric):
    """Averages the per-row output that has the metric's name.

    A row without rivals is not measured, NaN, and does not count; nor is a mean of none
    measured, so that it passes no threshold.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            metric_util.merge_per_key_computations(_computations), name=name
        )


metric_types.register_metric(MeanOutput)


def _computations(
    name: str, model_name: str = "", output_name: str = ""
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(
        name=name, model_name=model_name, output_name=output_name
    )
    return [
        metric_types.MetricComputation(
            keys=[key], preprocessors=None, combiner=_Mean(key)
        )
    ]


class _Mean(beam.CombineFn):
    def __init__(self, key: metric_types.MetricKey) -> None:
        super().__init__()
        self._key = key

    def create_accumulator(self) -> Accumulator:
        return 0.0, 0

    def add_input(
        self, accumulator: Accumulator, element: metric_types.StandardMetricInputs
    ) -> Accumulator:
        outputs = element.get_predictions(self._key.model_name, self._key.output_name)
        values = np.asarray(outputs[self._key.name], float)
        values = values[~np.isnan(values)]
        return accumulator[0] + float(values.sum()), accumulator[1] + values.size

    def merge_accumulators(self, accumulators: list[Accumulator]) -> Accumulator:
        totals, counts = zip(*accumulators, strict=True)
        return sum(totals), sum(counts)

    def extract_output(self, accumulator: Accumulator) -> dict[Any, float]:
        total, count = accumulator
        return {self._key: total / count if count else float("nan")}

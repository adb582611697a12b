"""What the Evaluator measures, by which slices, and what a model must reach."""

from __future__ import annotations

import json

from tensorflow_model_analysis.proto import config_pb2 as tfma

from tfx_pipeline.config import BLESSING_CUTOFF, PipelineConfig
from uvcan_tf import features as names

HIT_RATE = names.hr_at(BLESSING_CUTOFF)
REPORTED = (HIT_RATE, names.ndcg_at(BLESSING_CUTOFF), names.AUC)
COUNT = "example_count"


def eval_config(config: PipelineConfig) -> tfma.EvalConfig:
    """HR, NDCG and AUC, overall and by slice; the overall HR@10 decides.

    Overall, a candidate should reach `hit_rate_to_reach` and not be worse than the last
    blessed model by more than `tolerance`. Slices only inform: hardly any pair of a
    video without likes is ever among the first ten.
    """
    means = [
        tfma.MetricConfig(
            class_name="MeanOutput",
            module="tfx_pipeline.metrics",
            config=json.dumps({"name": name}),
            per_slice_thresholds=[_overall(config)] if name == HIT_RATE else None,
        )
        for name in REPORTED
    ]
    count = tfma.MetricConfig(class_name="ExampleCount")
    slices = (*config.features.slices, names.POPULARITY)
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name=names.EVALUATE)],
        metrics_specs=[tfma.MetricsSpec(metrics=[*means, count])],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[name]) for name in slices),
        ],
    )


def _overall(config: PipelineConfig) -> tfma.PerSliceMetricThreshold:
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(
            lower_bound={"value": config.hit_rate_to_reach}
        ),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute={"value": -config.tolerance},
        ),
    )
    return tfma.PerSliceMetricThreshold(
        slicing_specs=[tfma.SlicingSpec()], threshold=threshold
    )

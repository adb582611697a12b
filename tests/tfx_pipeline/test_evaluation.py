"""What decides on the blessing."""

import pytest
from tensorflow_model_analysis.proto import config_pb2 as tfma

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.evaluation import HIT_RATE, eval_config
from uvcan_tf import features as names
from uvcan_tf.config import Config, EvaluationConfig


@pytest.fixture(scope="module")
def found() -> tfma.EvalConfig:
    config = PipelineConfig("data", "root", min_hit_rate=0.3, tolerance=0.02)
    return eval_config(config)


def test_only_the_overall_hit_rate_decides(found: tfma.EvalConfig) -> None:
    """A plain threshold also holds in each slice: new videos would veto every model."""
    metrics = found.metrics_specs[0].metrics
    assert not any(metric.HasField("threshold") for metric in metrics)
    deciding = [metric for metric in metrics if metric.per_slice_thresholds]
    assert [metric.config for metric in deciding] == [f'{{"name": "{HIT_RATE}"}}']
    (per_slice,) = deciding[0].per_slice_thresholds
    assert list(per_slice.slicing_specs) == [tfma.SlicingSpec()]


def test_both_thresholds_are_the_configured_ones(found: tfma.EvalConfig) -> None:
    metric = next(m for m in found.metrics_specs[0].metrics if m.per_slice_thresholds)
    threshold = metric.per_slice_thresholds[0].threshold
    assert threshold.value_threshold.lower_bound.value == 0.3
    assert threshold.change_threshold.absolute.value == -0.02


def test_a_model_that_knows_nothing_is_refused_by_default() -> None:
    """Of 20 sampled videos and the right one, chance has 10/21 within the first ten."""
    small = Config(evaluation=EvaluationConfig(sampled_negatives=20))
    assert PipelineConfig("data", "root", config=small).hit_rate_to_reach == 12 / 21
    assert PipelineConfig("data", "root").hit_rate_to_reach == 0.05  # of 1,001 videos
    few = Config(evaluation=EvaluationConfig(sampled_negatives=9))
    assert PipelineConfig("data", "root", config=few).hit_rate_to_reach == 1.0


def test_slices_are_the_declared_ones_and_popularity(found: tfma.EvalConfig) -> None:
    keys = [list(spec.feature_keys) for spec in found.slicing_specs]
    assert keys == [[], *([name] for name in names.PAPER.slices), [names.POPULARITY]]

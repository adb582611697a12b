"""Which figures decide on a blessing."""

from __future__ import annotations

import pytest

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.evaluation import HIT_RATE, eval_config

OVERALL = ()
SLICE = (("popularity", "0"),)


@pytest.mark.parametrize(
    ("slice_key", "hit_rate", "blessed"),
    [(OVERALL, 0.2, True), (OVERALL, 0.01, False), (SLICE, 0.0, True)],
)
def test_only_the_overall_hit_rate_decides(
    slice_key: tuple[tuple[str, str], ...], hit_rate: float, blessed: bool
) -> None:
    from tensorflow_model_analysis.evaluators import metrics_validator
    from tensorflow_model_analysis.metrics import metric_types

    config = eval_config(PipelineConfig(data="/data", root="/root", min_hit_rate=0.1))
    metrics = {
        metric_types.MetricKey(name=HIT_RATE): hit_rate,
        metric_types.MetricKey(name=HIT_RATE, is_diff=True): 0.0,
    }
    result = metrics_validator.validate_metrics((slice_key, metrics), config)
    assert result.validation_ok is blessed

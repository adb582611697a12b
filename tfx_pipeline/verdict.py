"""The Evaluator's figures and what a model missed, as it wrote them down."""

from __future__ import annotations

from typing import Any, Final

import tensorflow_model_analysis as tfma

from tfx_pipeline.evaluation import COUNT, REPORTED

CANDIDATE: Final = "candidate"
BASELINE: Final = "baseline"

#: By slice ("overall" first), the mean of each metric and the number of rows.
Slices = dict[str, dict[str, float]]


def slices(folder: str, model: str = CANDIDATE) -> Slices:
    """Of the candidate, or of the baseline: empty where there was none."""
    names = ("", CANDIDATE) if model == CANDIDATE else (model,)
    result = {}
    for metrics in tfma.load_metrics(folder):
        keys = metrics.slice_key.single_slice_keys
        key = ", ".join(f"{k.column}={k.bytes_value.decode()}" for k in keys)
        figures = {
            value.key.name: value.value.double_value.value
            for value in metrics.metric_keys_and_values
            if value.key.model_name in names and not value.key.is_diff
            if value.key.name in (*REPORTED, COUNT)
        }
        if figures:
            result[key or "overall"] = figures
    if "overall" not in result:
        return {}
    overall = {"overall": result.pop("overall")}
    return {**overall, **dict(sorted(result.items()))}


def reasons(verdict: Any) -> list[str]:
    """Each missed threshold, in words."""
    sentences = []
    for validation in verdict.metric_validations_per_slice:
        for failure in validation.failures:
            key, value = failure.metric_key, failure.metric_value.double_value.value
            threshold = failure.metric_threshold
            if key.is_diff:
                fall = -threshold.change_threshold.absolute.value
                sentences.append(
                    f"{key.name} should not be more than {fall:g} below the last "
                    f"blessed model's. Received: a change of {value:+.4f}."
                )
            else:
                least = threshold.value_threshold.lower_bound.value
                sentences.append(
                    f"{key.name} should be at least {least:g}. Received: {value:.4f}."
                )
    return sentences

"""Transform's analyzers give the scales of numbers that the library computes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from tfx_pipeline.config import FEATURES_KEY
from tfx_pipeline.preprocessing import preprocessing_fn
from uvcan_tf.data.encoding import encode, raw_spec
from uvcan_tf.data.numbers import scale_of
from uvcan_tf.features import USER_ID, VIDEO_ID, Features, Numeric

pytestmark = pytest.mark.slow  # Transform starts in seconds

FEATURES = Features(
    user=(Numeric("age", "buckets", 7), Numeric("income", "standardized")),
    video=(Numeric("empty", "buckets", 3), Numeric("few", "buckets", 5)),
)
ROWS = 211


def rows() -> list[dict[str, Any]]:
    draw = random.Random(5)
    return [
        {
            "age": [] if row % 9 == 4 else [float(draw.randint(10, 90))],
            "income": [] if row % 7 == 3 else [draw.gauss(300.0, 80.0)],
            "empty": [],
            "few": [float(row % 3)],
        }
        for row in range(ROWS)
    ]


def test_transform_encodes_numbers_as_the_library_does(tmp_path: Path) -> None:
    given = rows()
    spec = raw_spec(FEATURES)
    for name in (USER_ID, VIDEO_ID):
        del spec[name]
    schema = schema_utils.schema_from_feature_spec(spec)
    config = {FEATURES_KEY: json.dumps(FEATURES.to_json())}
    with tft_beam.Context(temp_dir=str(tmp_path)):
        data = (given, dataset_metadata.DatasetMetadata(schema))
        ((found, _), _) = data | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
    expected = through_library(given)
    for name, column in expected.items():
        of_transform = np.array([row[name] for row in found])
        np.testing.assert_allclose(of_transform, column, rtol=1e-4, atol=1e-5)


def through_library(given: list[dict[str, Any]]) -> dict[str, Any]:
    features = (*FEATURES.user, *FEATURES.video)
    scales = {}
    raw = {}
    for feature in features:
        assert isinstance(feature, Numeric)
        values = [row[feature.name] for row in given]
        flat = pa.chunked_array([[v[0] if v else None for v in values]], pa.float32())
        scales[feature.name] = scale_of(feature, flat)
        raw[feature.name] = tf.ragged.constant(values, tf.float32).to_sparse()
    encoded = encode(FEATURES, raw, lambda name, strings: strings, scales)
    return {name: column.numpy() for name, column in encoded.items()}

"""Transform's entry point: `encode` with vocabularies and scales learned from the data.

TFX reloads this module, so it holds functions only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import tensorflow as tf
import tensorflow_transform as tft

from tfx_pipeline.config import FEATURES_KEY
from uvcan_tf import features as names
from uvcan_tf.data.encoding import Encoded, encode
from uvcan_tf.features import Numeric

#: By how much of all rows a bound between buckets may be off.
_PRECISE: Final = 1e-4


def preprocessing_fn(
    inputs: Mapping[str, tf.SparseTensor], custom_config: Mapping[str, str]
) -> Encoded:
    """Encodes rows of any split; a vocabulary is named like its feature."""
    features = names.from_json(json.loads(custom_config[FEATURES_KEY]))
    files = {
        name: tft.vocabulary(values, vocab_filename=name)
        for name, values in inputs.items()
        if values.dtype == tf.string
    }

    scales = {
        feature.name: _scale(feature, inputs[feature.name].values)
        for feature in (*features.user, *features.video)
        if isinstance(feature, Numeric) and feature.name in inputs
    }

    def lookup(name: str, strings: tf.Tensor) -> tf.Tensor:
        return tft.apply_vocabulary(strings, files[name], num_oov_buckets=1)

    return encode(features, inputs, lookup, scales)


def _scale(feature: Numeric, numbers: tf.Tensor) -> tf.Tensor:
    """As `data.numbers.scale_of`, float32 [S]."""
    if feature.count is None:
        return tf.stack([tft.mean(numbers), tf.sqrt(tft.var(numbers))])
    bounds = tft.quantiles(numbers, feature.count, epsilon=_PRECISE)
    return tf.reshape(bounds, [-1])

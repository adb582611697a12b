"""Transform's entry point: `encode` with vocabularies learned from the data.

TFX reloads this module, so it holds functions only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from tfx_pipeline.config import FEATURES_KEY
from uvcan_tf import features as names
from uvcan_tf.encoding import Encoded, encode
from uvcan_tf.features import Dense


def preprocessing_fn(
    inputs: Mapping[str, tf.SparseTensor], custom_config: Mapping[str, str]
) -> Encoded:
    """Encodes any of the four splits; a vocabulary is named like its feature."""
    features = names.from_json(json.loads(custom_config[FEATURES_KEY]))
    raw = {name: values for name, values in inputs.items() if name != names.LABEL}
    files = {
        name: tft.vocabulary(values, vocab_filename=name)
        for name, values in raw.items()
        if values.dtype == tf.string
    }

    def lookup(name: str, strings: tf.Tensor) -> tf.Tensor:
        return tft.apply_vocabulary(strings, files[name], num_oov_buckets=1)

    encoded = encode(features, raw, lookup)
    vectors = {
        feature.name: _where_present(encoded[feature.name], raw[feature.name])
        for feature in features.video
        if isinstance(feature, Dense)
    }
    return {**encoded, **vectors, names.LABEL: inputs[names.LABEL]}


def _where_present(vectors: tf.Tensor, raw: tf.SparseTensor) -> tf.SparseTensor:
    """The vectors [N, D] as sparse values: an interaction's row has none to store."""
    values = tf.gather_nd(vectors, raw.indices)
    return tf.SparseTensor(raw.indices, values, raw.dense_shape)

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
from uvcan_tf.data.encoding import Encoded, encode


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

    def lookup(name: str, strings: tf.Tensor) -> tf.Tensor:
        return tft.apply_vocabulary(strings, files[name], num_oov_buckets=1)

    return encode(features, inputs, lookup)

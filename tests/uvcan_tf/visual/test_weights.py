"""Files of either Keras, of weights or whole models, give the same activations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.errors import ConfigError
from uvcan_tf.visual.weights import Layers, download, read_weights

pytestmark = pytest.mark.long

_KERAS_3 = """
import sys, keras, numpy as np
model = keras.applications.InceptionV3(weights=None, classes=7)
for layer in model.layers:
    layer.set_weights([w + np.random.random(w.shape) for w in layer.get_weights()])
arrays = [w for layer in model.layers for w in layer.get_weights()]
np.savez(sys.argv[1], *arrays)
for path in sys.argv[2:]:
    (model.save_weights if path.endswith("weights.h5") else model.save)(path)
"""


def flat(layers: Layers) -> list[np.ndarray]:
    """All arrays: those of convolutions, then those of normalisations."""
    return [x for kind in layers.values() for arrays in kind for x in arrays]


def same(found: Layers, ordered: list[np.ndarray]) -> None:
    """Arrays in the model's order, without those of its classes."""
    kernels = [x for x in ordered if x.ndim == 4]
    expected = kernels + [x for x in ordered if x.ndim == 1][: 3 * len(kernels)]
    assert len(expected) == 4 * 94
    for x, y in zip(flat(found), expected, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize("file", ["a.h5", "whole.h5", "a.keras", "a.weights.h5"])
def test_files_of_keras_2(model: Any, tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    write = model.save_weights if file in ("a.h5", "a.weights.h5") else model.save
    write(path)
    same(read_weights(path), model.get_weights())


def test_files_of_keras_3_with_their_classes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("b.keras", "b.weights.h5", "b.h5")]
    arguments = [tmp_path / "arrays.npz", *files]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _KERAS_3, *map(str, arguments)],
        check=True,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "tensorflow"},
    )
    with np.load(tmp_path / "arrays.npz") as kept:
        expected = [kept[f"arr_{number}"] for number in range(len(kept.files))]
    for file in files:
        same(read_weights(file), expected)


def test_another_network_is_refused(tmp_path: Path) -> None:
    other = tf.keras.Sequential([tf.keras.layers.Conv2D(2, 3, input_shape=(9, 9, 3))])
    other.save_weights(tmp_path / "a.h5")
    message = "should hold the 94 convolutions .* Received: 0 and 0"
    with pytest.raises(ConfigError, match=message):
        read_weights(tmp_path / "a.h5")


@pytest.mark.parametrize("content", [None, b"", b"nothing of this kind"])
def test_another_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(ConfigError, match="a.h5 should be a file of Keras' Inception"):
        read_weights(tmp_path / "a.h5")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(ConfigError, match="a.h5 should be a file of Keras' Inception"):
        read_weights(tmp_path / "a.h5")


def test_without_a_network_a_sentence_says_where_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keras looks into a cache of its own, then asks a proxy that is not there."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="Get https://.*notop.h5 .* by --weights"):
        download()

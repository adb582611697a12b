"""The weights of Inception-v3 out of any file that a Keras has written.

Keras 2 and Keras 3 name layers in ways of their own, but all of them keep the layers of
a class in the same order, that of the model. Only numbers are read: a whole model in a
file runs no code of its own.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from uvcan_tf.errors import ConfigError

__all__ = ["Layers", "download", "fingerprint", "read_weights"]

#: The arrays of every layer by the name of its class.
Layers = dict[str, list[list[npt.NDArray[Any]]]]

#: Of Inception-v3: so many kernels, each with a normalisation that has no scale.
_LAYERS: Final = 94
_IN_ARCHIVE: Final = "model.weights.h5"
_WHERE: Final = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)


def read_weights(path: Path) -> Layers:
    """Kernels, and (beta, mean, variance) of normalisations, in the model's order.

    Args:
      path: `.h5` or `.keras`, of weights or of a whole model, with or without its
        layer of classes, which is left out.

    Raises:
      ConfigError: the file cannot be read, or is of another network.
    """
    try:
        with h5py.File(_content(path), "r") as file:
            arrays = list(_arrays(file))
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0].strip("'\"").rstrip(".")
        reason = reason if path.is_file() else "no such file"
        raise ConfigError(
            f"{path} should be a file of Keras' Inception-v3, `.h5` or `.keras`. "
            f"Received: {reason}."
        ) from None
    layers = {
        "Conv2D": [a for a in arrays if len(a) == 1 and a[0].ndim == 4],
        "BatchNormalization": [a for a in arrays if [x.ndim for x in a] == [1, 1, 1]],
    }
    counts = [len(found) for found in layers.values()]
    if counts != [_LAYERS, _LAYERS]:
        raise ConfigError(
            f"{path} should hold the {_LAYERS} convolutions and {_LAYERS} "
            "normalisations of Keras' Inception-v3. Received: "
            f"{counts[0]} and {counts[1]}."
        )
    return layers


def fingerprint(layers: Layers) -> str:
    """Twelve digits that are the same for the same numbers in any kind of file."""
    digest = hashlib.sha256()
    for arrays in layers.values():
        for array in (array for layer in arrays for array in layer):
            digest.update(np.asarray(array, "<f4").tobytes())
    return digest.hexdigest()[:12]


def download() -> Path:
    """Keras' own copy of the weights, out of its cache or from the network.

    Raises:
      ConfigError: the network does not give it; says where it can be got.
    """
    import tensorflow as tf

    try:
        return Path(tf.keras.utils.get_file(Path(_WHERE).name, _WHERE))
    except Exception as error:  # Keras raises no narrower one
        raise ConfigError(
            "The weights of Inception-v3 cannot be downloaded from here. Get "
            f"{_WHERE} where there is a network, and name the file by --weights. "
            f"Received: {str(error).splitlines()[0]}."
        ) from None


def _content(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(_IN_ARCHIVE))


def _arrays(file: h5py.File) -> Iterator[list[npt.NDArray[Any]]]:
    """The arrays of each layer, layers of a class in the model's order."""
    group = file.get("model_weights", file)
    if "layer_names" in group.attrs:
        for name in group.attrs["layer_names"]:
            layer = group[name]
            yield [np.asarray(layer[key]) for key in layer.attrs["weight_names"]]
        return
    layers = group["layers"]
    for name in sorted(layers, key=_number):
        values = layers[name].get("vars", {})
        yield [np.asarray(values[key]) for key in sorted(values, key=int)]


def _number(name: str) -> int:
    """Position among the layers of a class: `conv2d` is the first, then `conv2d_1`."""
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0

"""UVCAN-TF: the User-Video Co-Attention Network (WWW 2019) in TensorFlow.

Importing this package sets one switch and imports nothing heavy: TensorFlow
Recommenders needs Keras 2, which TensorFlow uses only when asked to before its
own first import.
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from serving.client.client import RecommenderClient as RecommenderClient
    from uvcan_tf.api import evaluate as evaluate
    from uvcan_tf.api import export as export
    from uvcan_tf.api import read_dataset as read_dataset
    from uvcan_tf.config import Config as Config
    from uvcan_tf.data.dataset import Dataset as Dataset
    from uvcan_tf.errors import UvcanError as UvcanError
    from uvcan_tf.features import Categorical as Categorical
    from uvcan_tf.features import Dense as Dense
    from uvcan_tf.features import Features as Features
    from uvcan_tf.features import Numeric as Numeric
    from uvcan_tf.model.uvcan import UVCAN as UVCAN
    from uvcan_tf.training.fit import fit as fit

_SWITCH = "TF_USE_LEGACY_KERAS"

if "tensorflow" in sys.modules and os.environ.get(_SWITCH) != "1":
    raise ImportError(
        f"TensorFlow was imported before UVCAN-TF without {_SWITCH}=1, so it uses "
        f"Keras 3, which TensorFlow Recommenders refuses. Set {_SWITCH}=1 in the "
        "environment, or import uvcan_tf first."
    )
os.environ[_SWITCH] = "1"

__version__ = "0.1.0"

# The public names, and where each is imported from when it is first asked for.
_HOMES: Final = {
    "Categorical": "uvcan_tf.features",
    "Config": "uvcan_tf.config",
    "Dataset": "uvcan_tf.data.dataset",
    "Dense": "uvcan_tf.features",
    "Features": "uvcan_tf.features",
    "Numeric": "uvcan_tf.features",
    "RecommenderClient": "serving.client.client",
    "UVCAN": "uvcan_tf.model.uvcan",
    "UvcanError": "uvcan_tf.errors",
    "evaluate": "uvcan_tf.api",
    "export": "uvcan_tf.api",
    "fit": "uvcan_tf.training.fit",
    "read_dataset": "uvcan_tf.api",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'uvcan_tf' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

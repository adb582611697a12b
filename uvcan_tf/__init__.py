"""UVCAN-TF: the User-Video Co-Attention Network (WWW 2019) in TensorFlow.

Importing this package sets one switch and imports nothing heavy: TensorFlow
Recommenders needs Keras 2, which TensorFlow uses only when asked to before its
own first import.
"""

import os
import sys

_SWITCH = "TF_USE_LEGACY_KERAS"

if "tensorflow" in sys.modules and os.environ.get(_SWITCH) != "1":
    raise ImportError(
        f"TensorFlow was imported before UVCAN-TF without {_SWITCH}=1, so it uses "
        f"Keras 3, which TensorFlow Recommenders refuses. Set {_SWITCH}=1 in the "
        "environment, or import uvcan_tf first."
    )
os.environ[_SWITCH] = "1"

__all__ = ["__version__"]
__version__ = "0.1.0"

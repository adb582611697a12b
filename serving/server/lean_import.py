"""TensorFlow for a process that only serves."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final, cast

_NOT_NEEDED: Final = ("tf_keras", "h5py", "scipy", "pandas")


def import_tensorflow() -> None:
    """Imports TensorFlow without what only building and saving models takes.

    TensorFlow imports Keras and what Keras reads where it finds them, and does without
    where it does not. A graph that is served needs none of it. Whoever asks for one of
    these modules later gets it.
    """
    modules = cast(dict[str, Any], sys.modules)
    hidden = [name for name in _NOT_NEEDED if name not in modules]
    modules.update(dict.fromkeys(hidden))  # None: there is no such module
    try:
        importlib.import_module("tensorflow")
    finally:
        for name in hidden:
            del modules[name]

"""Keeps native libraries' start-up pages off a user's screen."""

from __future__ import annotations

import logging
import os
import sys
import warnings


def quiet() -> None:
    """Silences TensorFlow, Abseil, gRPC and warnings of third parties.

    It hides no device: that is the user's choice (`device`). Call it first in a
    command's `main`, before TensorFlow is imported; libraries never call it.
    `UVCAN_VERBOSE=1` leaves everything as it is.
    """
    if os.environ.get("UVCAN_VERBOSE") == "1":
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    warnings.simplefilter("ignore")
    for name in ("tensorflow", "absl", "apache_beam"):
        logging.getLogger(name).setLevel(logging.ERROR)


def quiet_xla() -> None:
    """Compiles a first function with standard error turned off.

    XLA then says four lines of its own that no level silences. Imports TensorFlow.
    """
    if os.environ.get("UVCAN_VERBOSE") == "1":
        return
    import tensorflow as tf

    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            tf.function(tf.negative, jit_compile=True)(1.0)
        finally:
            os.dup2(saved, 2)
            os.close(saved)

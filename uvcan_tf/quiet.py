"""Keeps native libraries' start-up pages off a user's screen."""

from __future__ import annotations

import logging
import os
import warnings


def quiet() -> None:
    """Silences TensorFlow, Abseil, CUDA probing and warnings of third parties.

    Call it first in a command's `main`, before TensorFlow is imported; libraries never
    call it. `UVCAN_VERBOSE=1` leaves everything as it is.
    """
    if os.environ.get("UVCAN_VERBOSE") == "1":
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    warnings.simplefilter("ignore")
    for name in ("tensorflow", "absl", "apache_beam"):
        logging.getLogger(name).setLevel(logging.ERROR)

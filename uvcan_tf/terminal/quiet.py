"""Keeps native libraries' start-up pages off a user's screen."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import logging
import os
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator, Sequence

# What TensorFlow 2.21 says while it is imported, whatever its log level is.
_START_UP = r"^(WARNING: All log messages before absl::InitializeLog|I0000 )"


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
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _QuietImport())


def quiet_xla() -> None:
    """Compiles a first function with standard error turned off.

    XLA then says four lines of its own that no level silences. Imports TensorFlow.
    """
    if os.environ.get("UVCAN_VERBOSE") == "1":
        return
    import tensorflow as tf

    with open(os.devnull, "w") as nowhere, _standard_error_to(nowhere.fileno()):
        tf.function(tf.negative, jit_compile=True)(1.0)


@contextlib.contextmanager
def _standard_error_to(descriptor: int) -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(descriptor, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _without_start_up_lines() -> Iterator[None]:
    """A process of its own filters: what is said before a crash still comes through."""
    command = ["grep", "-vE", _START_UP]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=2) as lines,
        _standard_error_to(lines.stdin.fileno()),  # type: ignore[union-attr]
    ):
        yield


class _QuietLoader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: types.ModuleType) -> None:
        with _without_start_up_lines():
            super().exec_module(module)


class _QuietImport(importlib.abc.MetaPathFinder):
    """Filters standard error during the first import of TensorFlow."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _QuietLoader(fullname, spec.origin)
        return spec

"""The user's choice of a device, made before TensorFlow is imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any, Final

import click

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_GPU: Final = re.compile(r"gpu(?::(\d+(?:,\d+)*))?")


def choose_device(device: str) -> None:
    """Shows TensorFlow only the devices that the user named.

    Args:
      device: `auto` leaves everything as TensorFlow finds it; `cpu` hides every GPU;
        `gpu` wants at least one GPU; `gpu:1` and `gpu:0,1` want those.

    Raises:
      ValueError: of another word, or where TensorFlow runs already.
    """
    gpu = _GPU.fullmatch(device)
    if device not in ("auto", "cpu") and gpu is None:
        raise ValueError(
            "`--device` should be auto, cpu, gpu or gpu:NUMBERS, such as gpu:0. "
            f"Received: {device}."
        )
    if device == "auto":
        return
    if "tensorflow" in sys.modules:
        raise ValueError(
            "`--device` should be chosen before TensorFlow is imported. Received: "
            f"{device}, with TensorFlow imported; set {VISIBLE} instead."
        )
    if device == "cpu":
        os.environ[VISIBLE] = "-1"
    elif gpu is not None:
        if gpu[1]:
            os.environ[VISIBLE] = gpu[1]
        _require_gpu(device)


def _require_gpu(device: str) -> None:
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        raise ValueError(
            f"`--device {device}` should name a GPU that TensorFlow finds. Received: "
            "none was found. Install CUDA (`pip install tensorflow[and-cuda]`), or use "
            "`--device auto`."
        )


def device_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--device` to a command or group."""

    def choose(context: click.Context, option: click.Parameter, device: str) -> None:
        try:
            choose_device(device)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--device",
        default="auto",
        show_default=True,
        expose_value=False,
        callback=choose,
        help="auto (what TensorFlow finds), cpu, gpu, gpu:0 or gpu:0,1.",
    )(function)

"""A training run as a session of TensorBoard's tab HParams."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import tensorflow as tf
from tensorboard.plugins.hparams import api, api_pb2, summary

from uvcan_tf.config import Config

#: Scalars that stand beside the settings.
METRICS: Final = ("validation/ndcg@100", "validation/hr@10", "training/loss")

_NO_SETTINGS: Final = (
    *("epochs", "patience", "time_limit_s", "validation_users", "profile_steps"),
)


def values(config: Config) -> dict[str, bool | int | float | str]:
    """What a search could draw, by `section.setting`.

    >>> values(Config())["training.learning_rate"]
    0.001
    """
    sections: dict[str, Any] = {"model": config.model, "training": config.training}
    if config.prior is not None:
        sections["prior"] = config.prior
    if config.history is not None:
        sections["history"] = config.history
    return {
        f"{section}.{name}": _plain(value)
        for section, content in sections.items()
        for name, value in dataclasses.asdict(content).items()
        if name not in _NO_SETTINGS
    }


@contextlib.contextmanager
def session(
    writer: tf.summary.SummaryWriter, config: Config, name: str
) -> Iterator[None]:
    """Writes the settings first, and at the end how the run ended.

    The name is the run's: without one, runs of the same settings share a line.
    """
    settings = values(config)
    with writer.as_default(step=0):
        api.hparams_config(
            hparams=[api.HParam(name) for name in settings],
            metrics=[api.Metric(name) for name in METRICS],
        )
        api.hparams(settings, trial_id=name)
    writer.flush()
    try:
        yield
    except Exception:
        _end(writer, api_pb2.STATUS_FAILURE)
        raise
    _end(writer, api_pb2.STATUS_SUCCESS)


def _end(writer: tf.summary.SummaryWriter, status: int) -> None:
    content = summary.session_end_pb(status).SerializeToString()
    with writer.as_default(step=0):
        tf.summary.experimental.write_raw_pb(content)
    writer.flush()


def _plain(value: Any) -> bool | int | float | str:
    if isinstance(value, tuple | list):
        return "-".join(map(str, value))
    return value if isinstance(value, bool | int | float | str) else str(value)

"""Which methods a command measures, and with which one it compares the others."""

from __future__ import annotations

import dataclasses
from typing import Any

from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.experiments.method import Method, Neural
from uvcan_tf.experiments.methods import HISTORY
from uvcan_tf.features import Features


def without_attributes(method: Neural) -> Neural:
    """The same method told of ids and likes alone."""

    def build(dataset: Dataset, config: Any) -> Any:
        users, videos = (
            dataclasses.replace(side, columns={})
            for side in (dataset.users, dataset.videos)
        )
        alone = dataclasses.replace(
            dataset, features=Features((), ()), users=users, videos=videos
        )
        return method.build(alone, config)

    name = f"{method.name} without attributes"
    return dataclasses.replace(method, name=name, build=build)


def chosen(names: str | None, methods: tuple[Method, ...]) -> tuple[Method, ...]:
    """The methods of a comma-separated list of names, in the table's order.

    `UVCAN(history) without attributes` is there for whoever names it, and stands first.
    """
    if names is None:
        return methods
    neural = (method for method in methods if isinstance(method, Neural))
    told_less = [without_attributes(m) for m in neural if m.name == HISTORY.name]
    methods = (*told_less, *methods)
    wanted = [name.strip() for name in names.split(",")]
    known = {method.name for method in methods}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ConfigError(
            f"`--methods` should name methods out of {', '.join(sorted(known))}. "
            f"Received: {', '.join(unknown)}."
        )
    return tuple(method for method in methods if method.name in wanted)


def subject(methods: tuple[Method, ...]) -> Method | None:
    """The one that the others are compared with: the last UVCAN."""
    own = [method for method in methods if method.name.startswith("UVCAN")]
    return own[-1] if own else None

"""What a run was made of, for TensorBoard's tab Text."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata

import numpy as np
import tensorflow as tf

import uvcan_tf
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset


def texts(dataset: Dataset, config: Config) -> dict[str, str]:
    """Markdown by title: settings, declaration, statistics and versions."""
    return {
        "config": _code(config.spelled_out().to_json()),
        "declaration": _code(dataset.features.to_json()),
        "data": _statistics(dataset),
        "versions": _table(("library", "version"), versions().items()),
    }


def versions() -> dict[str, str]:
    """Of what computes a model."""
    return {
        "uvcan-tf": uvcan_tf.__version__,
        "Python": platform.python_version(),
        "TensorFlow": tf.__version__,
        "Keras": metadata.version("tf-keras"),
        "NumPy": np.__version__,
    }


def _statistics(dataset: Dataset) -> str:
    counts = {
        "users": dataset.users.size,
        "videos": dataset.videos.size,
        "likes to train on": len(dataset.train),
        "likes to validate on": len(dataset.test),
        "skipped impressions": len(dataset.impressions),
    }
    numbers = _table(("what", "how many"), ((k, f"{v:,}") for k, v in counts.items()))
    columns = [
        (side, feature.column, kind, f"{missing:.1%}")
        for side, table, features in (
            ("user", dataset.users, dataset.features.user),
            ("video", dataset.videos, dataset.features.video),
        )
        for feature in features
        for column in [np.asarray(table.columns[feature.name])[1:-1]]
        for missing in [_missing(column)]
        for kind in [
            f"{feature.width} numbers"
            if feature.width is not None
            else f"{len(dataset.vocabularies[feature.name]):,} values"
        ]
    ]
    return numbers + "\n\n" + _table(("of", "column", "content", "missing"), columns)


def _missing(column: np.ndarray) -> float:  # type: ignore[type-arg]
    """The share of rows without any value."""
    there = column != 0
    return float(1 - (there.any(axis=1) if there.ndim > 1 else there).mean())


def _code(content: object) -> str:
    lines = json.dumps(content, indent=2).splitlines()
    return "\n".join(f"    {line}" for line in lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

"""Where a model comes from, as a file that travels with it.

The Trainer writes what a model was made of; the Pusher adds how good it was found.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np

import uvcan_tf
from tfx_pipeline import verdict
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.training.tensorboard.texts import versions

#: Where in a SavedModel the card lies.
CARD: Final = "assets.extra/model_card.json"


def write_made_of(
    dataset: Dataset, config: Config, training: dict[str, Any], model: Path
) -> None:
    """Writes what the model was trained on, and how.

    Args:
      dataset: all that it was trained on.
      config: with what a search found put in.
      training: the content of `training.json`.
      model: the folder of the SavedModel.
    """
    content = {
        "trained": _now(),
        "data": {
            "fingerprint": fingerprint(dataset),
            "users": dataset.users.size,
            "videos": dataset.videos.size,
            "likes": len(dataset.train),
            "skipped_impressions": len(dataset.impressions),
        },
        "declaration": dataset.features.to_json(),
        "config": config.spelled_out().to_json(),
        "training": {k: v for k, v in training.items() if k not in _LONG},
        "versions": versions(),
        "commit": commit(),
    }
    if found := candidate_recall.read(model):
        content["candidates"] = found
    _write(model, content)


def add_evaluation(model: Path, evaluation: Path, baseline: str) -> None:
    """Adds the figures by slice, and those of the model that it was compared with.

    Args:
      model: the folder of the SavedModel.
      evaluation: the Evaluator's.
      baseline: the place of the baseline; empty where there was none.
    """
    card = model / CARD
    content = json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    if evaluation.is_dir():
        content["metrics"] = verdict.slices(str(evaluation))
        found = verdict.slices(str(evaluation), verdict.BASELINE)
        content["baseline"] = (
            {"model": baseline, "metrics": found} if baseline else None
        )
    _write(model, content | {"pushed": _now()})


def read(model: Path) -> dict[str, Any] | None:
    """The card of a model; None of one that was pushed without."""
    file = model / CARD
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def fingerprint(dataset: Dataset) -> str:
    """The same for the same tables, whatever files they came in."""
    digest = hashlib.sha256()
    for side in (dataset.users, dataset.videos):
        digest.update("\0".join(side.ids).encode())
        for name, column in sorted(side.columns.items()):
            digest.update(name.encode() + np.ascontiguousarray(column).tobytes())
    for name, values in sorted(dataset.vocabularies.items()):
        digest.update(name.encode() + "\0".join(values).encode())
    for pairs in (dataset.train, dataset.impressions):
        order = np.lexsort([pairs.video, pairs.user])
        digest.update(pairs.user[order].tobytes() + pairs.video[order].tobytes())
    return digest.hexdigest()[:16]


def commit() -> str | None:
    """The commit of this code; None where it does not lie in a Git checkout."""
    folder = Path(uvcan_tf.__file__).parent
    command = ["git", "-C", str(folder), "log", "-1", "--format=%H", "--", "."]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() or None


_LONG: Final = ("curve", "attention", "facets")


def _write(model: Path, content: dict[str, Any]) -> None:
    file = model / CARD
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(" ", "seconds")

"""Whether a model's attention ranks the facets of videos as a made-up world does.

Shapes: U users, C kinds of video facet whose weights were planted.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy import stats

from uvcan_tf import features as names
from uvcan_tf import presets
from uvcan_tf.config import Config, HistorySettings, ModelConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.sources.synthetic import PLANTED_ATTENTION, generate
from uvcan_tf.data.tables import read_tables
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.training.fit import fit

CONFIG: Final = Config(
    model=ModelConfig(factors=16, hops=1, initial_stddev=0.3),
    training=TrainingConfig(learning_rate=0.01, batch_size=256, epochs=15),
)

MODELS: Final = {
    "paper": CONFIG,
    "history": dataclasses.replace(presets.history(), model=CONFIG.model),
    "history without its product": dataclasses.replace(
        CONFIG, history=HistorySettings(product=False, user_ids=False)
    ),
}

_PAIRS_AT_ONCE: Final = 512

Floats = npt.NDArray[np.float64]


class Agreement(NamedTuple):
    """Spearman's rank correlation of planted and learned weights.

    Attributes:
      by_kind: over the means of the C kinds.
      by_user: of each user's C weights, the mean over users.
    """

    by_kind: float
    by_user: float


def run(
    preset: str, seeds: Sequence[int], file: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Trains on a world for each seed, and writes the correlations with their spread.

    Args:
      preset: the size of the worlds.
      seeds: of world and training.
      file: of the result, JSON: a section for each of `MODELS`.
      say: told a sentence a seed.
    """
    content: dict[str, Any] = {"preset": preset, "seeds": list(seeds)}
    for model, config in MODELS.items():
        found = []
        for seed in seeds:
            found.append(measure(preset, seed, config))
            by_kind, by_user = found[-1]
            say(f"{model}, seed {seed}: {by_user:.3f} by user, {by_kind:.3f} by kind.")
        content[model] = {
            name: _spread([getattr(agreement, name) for agreement in found])
            for name in Agreement._fields
        }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return content


def _spread(values: list[float]) -> dict[str, Any]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    mean = float(np.mean(values))
    return {"mean": mean, "standard_deviation": deviation, "each": values}


def measure(preset: str, seed: int, config: Config = CONFIG) -> Agreement:
    """Plants a world, trains on it, and compares."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "world"
        generate(preset, folder, seed)
        features = names.of_folder(folder)
        tables = read_tables(folder, features)
        dataset = encode_tables(tables, features, config.evaluation)
        planted = _planted(folder / PLANTED_ATTENTION, dataset)
    training = dataclasses.replace(config.training, seed=seed)
    model = fit(dataset, dataclasses.replace(config, training=training))
    return agreement(planted, learned(model))


def agreement(planted: Floats, found: Floats) -> Agreement:
    """Of weights [U, C] with the learned ones, users without a like left out."""
    there = ~np.isnan(found).any(axis=1)
    planted, found = planted[there], found[there]
    of_means = stats.spearmanr(planted.mean(axis=0), found.mean(axis=0))[0]
    of_users = [stats.spearmanr(a, b)[0] for a, b in zip(planted, found, strict=True)]
    return Agreement(float(of_means), float(np.nanmean(of_users)))


def learned(model: UVCAN) -> Floats:
    """[U, C]: the last hop's mean weights over a user's likes, without the identity."""
    pairs = model.dataset.train
    kinds = len(model.dataset.features.video)
    total = np.zeros([model.dataset.users.size + 2, kinds])
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        users, videos = pairs.user[some], pairs.video[some]
        rated = model.rate(tf.constant(users), tf.constant(videos)[:, None])
        np.add.at(total, users, rated.video_attention[-1][:, 0, 1:].numpy())
    likes = np.bincount(pairs.user, minlength=len(total))[:, None]
    with np.errstate(invalid="ignore"):
        mean: Floats = (total / np.where(likes, likes, np.nan))[1:-1]
    return mean


def _planted(file: Path, dataset: Dataset) -> Floats:
    """[U, C], in the order of the dataset's users."""
    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = csv.reader(opened)
    columns = [header.index(feature.name) for feature in dataset.features.video]
    weights = {row[0]: [float(row[column]) for column in columns] for row in rows}
    return np.array([weights[user] for user in dataset.users.ids])

"""A saved model as a scorer, through its own signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf import config as settings
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.evaluation.scorers import Scorer, ranked
from uvcan_tf.features import RANK, SCORE, USER_ID, VIDEO_IDS

#: Where in a SavedModel its settings stand, with nothing left to a default.
CONFIG_FILE: Final = "assets.extra/config.json"
_PAIRS_AT_ONCE = 1 << 16


def saved_scorer(folder: Path, dataset: Dataset, config: Config) -> Scorer:
    """Ranks as the model in memory did, skipped impressions among it.

    Args:
      folder: of the SavedModel, which says itself how its scores are ranked.
      dataset: its ids are scored, and its impressions may come last.
      config: its `evaluation` may say otherwise; the whole of it stands in for the
        settings of a model that was saved without any.
    """
    file = folder / CONFIG_FILE
    saved = settings.load(file) if file.exists() else config
    last = config.evaluation.ranks_skipped_impressions_last(
        knows_impressions=saved.ranks_skipped_impressions_last
    )
    return ranked(SavedScorer(folder, dataset), dataset, last)


class SavedScorer:
    """Scores whole catalogues with the signature `rank` of a SavedModel.

    Args:
      folder: of the SavedModel.
      dataset: its ids are looked up by the model itself, so any rows can be scored.
    """

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self._model = tf.saved_model.load(str(folder))
        self._rank = self._model.signatures[RANK]
        self._users = dataset.users.ids
        self._videos = dataset.videos.ids

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V] of user rows."""
        step = max(1, _PAIRS_AT_ONCE // len(self._videos))
        parts = [
            self._some(users[start : start + step])
            for start in range(0, len(users), step)
        ]
        return np.concatenate(parts)

    def _some(self, users: IntArray) -> npt.NDArray[np.float32]:
        ids = tf.constant(self._users[users - 1], tf.string)
        videos = tf.constant(self._videos, tf.string)
        rows = tf.tile(videos[None], [len(users), 1])
        return self._rank(**{USER_ID: ids, VIDEO_IDS: rows})[SCORE].numpy()

"""Scores of a whole catalogue for any pair model, a few users at a time.

Shapes: B users, V videos.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import TrainingConfig
from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.model.pair_model import Network, PairModel
from uvcan_tf.model.row_tables import Columns, RowTables

_RATINGS_AT_ONCE = 1 << 14


class BlockScorer:
    """Rates blocks of users with all videos, which are represented once.

    Args:
      model: its video representations are kept as they are now, until `refresh`.
    """

    def __init__(self, model: BlockModel) -> None:
        self._videos = model.dataset.videos.size
        self._users_at_once = max(1, _RATINGS_AT_ONCE // self._videos)
        self._represent_users = model.represent_users
        self._join = tf.function(
            lambda user, video: model.logits_of(
                tf.nest.map_structure(lambda part: part[:, None], user),
                tf.nest.map_structure(lambda part: part[None], video),
            ),
            reduce_retracing=True,
            autograph=False,
        )
        self.refresh(model)

    def refresh(self, model: Any) -> None:
        """Represents the videos anew by the model's weights."""
        video = model.represent_videos(tf.range(1, self._videos + 1))
        self._video = model.for_catalogue(video)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V], for `ranking.rank_pairs`."""
        result = np.empty([len(users), self._videos], np.float32)
        for start in range(0, len(users), self._users_at_once):
            some = slice(start, start + self._users_at_once)
            user = self._represent_users(tf.constant(users[some], tf.int32))
            result[some] = self._join(user, self._video).numpy()
        return result


class BlockModel(PairModel):
    """A pair model whose network rates two representations by `rate` alone.

    Args:
      dataset: its training pairs decide which identities are known; what its
        impressions tell to be skipped is no negative.
      training: of the batches, the loss and the seed.
      network: owns all trained weights.
      id_dropout: share of ids that training replaces with the unknown id.
    """

    network: Any

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingConfig,
        network: Network,
        id_dropout: float,
    ) -> None:
        tables, skipped = RowTables(dataset), dataset.impressions
        super().__init__(dataset, training, network, id_dropout, tables, skipped)

    def logits_of(self, user: Any, video: Any) -> tf.Tensor:
        return self.network.rate(user, video)

    def mean_loss(
        self, user_columns: Columns, video_columns: Columns, correction: tf.Tensor
    ) -> tf.Tensor:
        return self.mean_loss_at_once(user_columns, video_columns, correction)

    def for_catalogue(self, video: Any) -> Any:
        """The videos' representation with whatever else serves all users."""
        return video

    def scorer(self) -> BlockScorer:
        return BlockScorer(self)

"""ItemPop: every user gets the videos with the most training likes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from uvcan_tf.data.dataset import Dataset, IntArray


class ItemPop:
    """Scores a video by its number of training pairs."""

    def __init__(self, dataset: Dataset) -> None:
        counts = np.bincount(dataset.train.video, minlength=dataset.videos.size + 1)
        self._scores = counts[1:].astype(np.float32)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V], the same row for every user."""
        return np.tile(self._scores, (len(users), 1))

    def scores_of_likes(self, likes: csr_matrix) -> npt.NDArray[np.float32]:
        """float32 [B, V], the same row whatever is liked, a sparse [B, V]."""
        return np.tile(self._scores, (likes.shape[0], 1))

"""The same likes, looked at after every epoch: their scores and their attention.

Shapes: P likes, C = 1 + S videos, the liked one first, F facets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf import features as names
from uvcan_tf.data.dataset import Pairs
from uvcan_tf.model.negatives import UnobservedSampler
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.model.uvcan import UVCAN

FloatArray = npt.NDArray[np.float32]

_MOST_LIKES: Final = 512
_RIVALS: Final = 4  # of each like
_MOST_GROUPS: Final = 8  # of a slice, the largest


class Seen(NamedTuple):
    """What the weights of one moment make of the likes.

    Attributes:
      likes: scores [P]. rivals: scores [P, S] of videos that the user did not like.
      attention: by side, one array [P, F] a hop; empty of a model without.
    """

    likes: FloatArray
    rivals: FloatArray
    attention: Mapping[str, list[FloatArray]]

    def mean_attention(self, some: Any = slice(None)) -> dict[str, list[list[float]]]:
        """By side, the mean weights [hops, F] of some likes; a row sums to 1."""
        return {
            side: [hop[some].mean(axis=0).tolist() for hop in hops]
            for side, hops in self.attention.items()
        }


class Probe:
    """Scores fixed likes with rivals, whenever asked.

    Args:
      model: whose weights change in between.
      pairs: likes of users who leave a video; so many are taken, evenly.
    """

    def __init__(self, model: PairModel, pairs: Pairs) -> None:
        self._model = model
        most = min(_MOST_LIKES, len(pairs))
        some = np.linspace(0, len(pairs) - 1, most).astype(int)
        self.users = pairs.user[some]  # [P]
        dataset = model.dataset
        of_users = dataset.train.where(np.isin(dataset.train.user, self.users))
        sampler = UnobservedSampler(of_users, dataset.users.size, dataset.videos.size)
        seed = tf.constant([0, model.training.seed], tf.int64)
        rivals = sampler(tf.constant(self.users), _RIVALS, seed)  # [P, S]
        liked = tf.constant(pairs.video[some])[:, None]
        self._videos = tf.concat([liked, rivals], axis=1)  # [P, C]
        self._rate = tf.function(_rating(model), autograph=False)

    @property
    def graph(self) -> Any:
        """The graph of the rating of a pair, as TensorFlow records it."""
        return self._compiled().graph

    def _compiled(self) -> Any:
        rows = tf.TensorSpec([None], tf.int32, name="users")
        videos = tf.TensorSpec([None, None], tf.int32, name="videos")
        return self._rate.get_concrete_function(rows, videos)

    def look(self) -> Seen:
        """With the weights as they are now."""
        rated = self._compiled()(tf.constant(self.users), self._videos)
        if not isinstance(self._model, UVCAN):
            return _seen(rated, {})
        hops = {
            names.VIDEO_ATTENTION: rated.video_attention,
            names.USER_ATTENTION: rated.user_attention,
        }
        attention = {
            side: [a[:, 0].numpy() for a in of_side]  # of the likes
            for side, of_side in hops.items()
            if of_side
        }
        return _seen(rated.logits, attention)

    def groups(self, feature: str) -> dict[str, npt.NDArray[np.bool_]]:
        """The likes [P] of the largest groups of users, by value of a user feature."""
        dataset = self._model.dataset
        values = np.asarray(dataset.users.columns[feature])[self.users]
        vocabulary = ["missing", *dataset.vocabularies[feature], "unknown"]
        found, counts = np.unique(values, return_counts=True)
        largest = found[np.argsort(-counts, kind="stable")[:_MOST_GROUPS]]
        return {f"{feature}={vocabulary[value]}": values == value for value in largest}


def facet_names(model: UVCAN) -> dict[str, list[str]]:
    """The users' own names of the facets, by the side that is attended to."""
    network, features = model.network, model.dataset.features
    return {
        names.VIDEO_ATTENTION: features.columns_of(f.name for f in network.video),
        names.USER_ATTENTION: features.columns_of(f.name for f in network.user),
    }


def _rating(model: PairModel) -> Callable[[tf.Tensor, tf.Tensor], Any]:
    """Users [P] and videos [P, C] -> logits, of UVCAN with the attention."""
    if isinstance(model, UVCAN):
        return model.rate
    return lambda users, videos: model.call((users, videos))


def _seen(logits: tf.Tensor, attention: Mapping[str, list[FloatArray]]) -> Seen:
    scores = tf.sigmoid(logits).numpy()
    return Seen(scores[:, 0], scores[:, 1:], attention)

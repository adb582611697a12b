"""Why a pushed model recommends: a pair, a user's best videos, or a group of users.

Shapes: P pairs, hops and facets of either side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfx_pipeline.config import MODEL_NAME, SERVING
from tfx_pipeline.page.examples import best_videos
from tfx_pipeline.pusher import newest_version
from tfx_pipeline.store import EXAMPLE_GEN, STORE, connect, last_outputs
from uvcan_tf import features as names
from uvcan_tf.errors import ConfigError
from uvcan_tf.terminal.attention_file import Weights

_MOST_USERS: Final = 200  # of a slice
_SHOWN: Final = 3  # values of a facet

Row = Mapping[str, tuple[str, ...]]
Array = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Explained:
    """Attention of one or more pairs.

    Attributes:
      title: what was explained.
      pairs: the user, the video and the score of each.
      matrices: of the video, then of the user; of several pairs the mean by hop, and
        for one user the last hop of every video.
    """

    title: str
    pairs: tuple[tuple[str, str, float], ...]
    matrices: tuple[Weights, ...]


class Explainer:
    """Explains by the model that was pushed last, with the names that its tables have.

    Args:
      root: of the pipeline.

    Raises:
      ConfigError: no model was pushed yet.
    """

    def __init__(self, root: Path) -> None:
        folder = newest_version(root / SERVING / MODEL_NAME)
        if folder is None:
            raise ConfigError(
                f"--root {root} should be the root of a pipeline that has pushed a "
                "model. Received: one without. Run the pipeline first."
            )
        self._signatures = tf.saved_model.load(str(folder)).signatures
        store = connect(str(root / STORE))
        (examples,) = last_outputs(store, EXAMPLE_GEN)
        self._examples = Path(examples.uri)

    def pair(self, user: str, video: str) -> Explained:
        """One pair; the facets carry the values of this user and this video."""
        of_user = self._row(names.USERS, names.USER_ID, user)
        of_video = self._row(names.VIDEOS, names.VIDEO_ID, video)
        found = self._explain([user], [video])
        score = float(found[names.SCORE][0])
        matrices = _by_hop(found, of_video, of_user)
        title = f"User {user}, video {video}: score {score:.4f}"
        return Explained(title, ((user, video, score),), matrices)

    def user(self, user: str, top: int) -> Explained:
        """A user's best videos: their mean by hop, and the last hop of each."""
        of_user = self._row(names.USERS, names.USER_ID, user)
        videos = best_videos(self._signatures[names.RECOMMEND], [user], top)[0]
        if not videos:
            raise ConfigError(f"--user {user} has no video left to be recommended.")
        found = self._explain([user] * len(videos), videos)
        facets = _facets(found, names.VIDEO_FACETS, {})
        rows = tuple(f"{n}. {video}" for n, video in enumerate(videos, start=1))
        last = tuple(map(_floats, found[names.VIDEO_ATTENTION][:, -1]))
        every = Weights("The last hop, video by video", rows, facets, last)
        title = f"User {user}: the mean of the {len(videos)} best videos"
        pairs = _pairs([user] * len(videos), videos, found)
        return Explained(title, pairs, (*_by_hop(found, {}, of_user), every))

    def slice(self, name: str, value: str, top: int) -> Explained:
        """The mean over the best videos of at most 200 users with a value."""
        users = [
            row[names.USER_ID][0]
            for row in self._rows(names.USERS)
            if value in row.get(name, ())
        ][:_MOST_USERS]
        if not users:
            raise ConfigError(
                f"--slice {name}={value} should name a user feature and a value of "
                "it. Received: one that no user has."
            )
        best = best_videos(self._signatures[names.RECOMMEND], users, top)
        every = [(u, v) for u, some in zip(users, best, strict=True) for v in some]
        owners, videos = [u for u, _ in every], [v for _, v in every]
        found = self._explain(owners, videos)
        title = f"{name}={value}: the mean of {len(users)} users' {top} best videos"
        return Explained(title, _pairs(owners, videos, found), _by_hop(found, {}, {}))

    def _explain(self, users: Sequence[str], videos: Sequence[str]) -> dict[str, Array]:
        given = {
            names.USER_ID: tf.constant(list(users)),
            names.VIDEO_ID: tf.constant(list(videos)),
        }
        found = self._signatures[names.EXPLAIN](**given)
        return {name: value.numpy() for name, value in found.items()}

    def _row(self, split: str, key: str, wanted: str) -> Row:
        for row in self._rows(split):
            if row[key] == (wanted,):
                return row
        raise ConfigError(
            f"--{key.partition('_')[0]} should be an id of the table {split}. "
            f"Received: {wanted!r}."
        )

    def _rows(self, split: str) -> Any:
        """The text columns of a table, row by row."""
        files = sorted(map(str, self._examples.glob(f"Split-{split}/*")))
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
            content = tf.train.Example.FromString(record).features.feature
            yield {
                name: tuple(v.decode() for v in feature.bytes_list.value)
                for name, feature in content.items()
            }


def _by_hop(found: Mapping[str, Any], video: Row, user: Row) -> tuple[Weights, ...]:
    """The mean of pairs by hop: of the video, then of the user."""
    sides = (
        (
            names.VIDEO_FACETS,
            names.VIDEO_ATTENTION,
            video,
            "user looked at in the video",
        ),
        (names.USER_FACETS, names.USER_ATTENTION, user, "video looked at in the user"),
    )
    return tuple(
        Weights(
            f"What the {title}",
            tuple(f"hop {number + 1}" for number in range(len(mean))),
            _facets(found, facets, row),
            tuple(map(_floats, mean)),
        )
        for facets, weights, row, title in sides
        for mean in [found[weights].mean(axis=0)]
    )


def _facets(found: Mapping[str, Any], name: str, row: Row) -> tuple[str, ...]:
    """Facets, with the values that the row has of them."""
    facets = [facet.decode() for facet in found[name][0]]
    return tuple(
        f"{facet}: {', '.join(row[facet][:_SHOWN])}" if row.get(facet) else facet
        for facet in facets
    )


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(map(float, values))


def _pairs(
    users: Sequence[str], videos: Sequence[str], found: Mapping[str, Any]
) -> tuple[tuple[str, str, float], ...]:
    return tuple(zip(users, videos, map(float, found[names.SCORE]), strict=True))

"""Embeddings of users, videos and authors for TensorBoard's projector.

Shapes: R rows of a table that are shown, K factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from tensorboard.plugins import projector

from uvcan_tf import features as names
from uvcan_tf.data.dataset import Dataset, Side
from uvcan_tf.features import Categorical
from uvcan_tf.network.co_attention import CoAttentionNetwork

_MOST: Final = 5000  # of a table: a browser moves no more, and files stay small

IntArray = npt.NDArray[Any]


class Shown(NamedTuple):
    """Points of the projector.

    Attributes:
      name: of what they are.
      rows: of the embedding table, [R], the most popular first.
      table: the whole embedding table.
      metadata: cells by column; each column has R.
    """

    name: str
    rows: IntArray
    table: npt.NDArray[np.float32]
    metadata: dict[str, list[str]]


def write_embeddings(
    network: CoAttentionNetwork, dataset: Dataset, folder: Path
) -> None:
    """Writes at most `_MOST` of each kind, the most popular, into a run's folder."""
    shown = [_users(network, dataset), _videos(network, dataset)]
    if dataset.features.popularity_of != names.VIDEO_ID:
        shown.append(_groups(network, dataset))
    config = projector.ProjectorConfig()
    for points in shown:
        tensor, metadata = f"{points.name}.tsv", f"{points.name}_metadata.tsv"
        np.savetxt(folder / tensor, points.table[points.rows], "%.5g", "\t")
        (folder / metadata).write_text(_lines(points.metadata), encoding="utf-8")
        config.embeddings.add(
            tensor_name=points.name,
            tensor_path=tensor,
            metadata_path=metadata,
            tensor_shape=[len(points.rows), points.table.shape[1]],
        )
    projector.visualize_embeddings(str(folder), config)


def _users(network: CoAttentionNetwork, dataset: Dataset) -> Shown:
    likes = np.bincount(dataset.train.user, minlength=dataset.users.size + 2)
    rows = _most_popular(likes)
    metadata = {
        "user": dataset.users.ids[rows - 1].tolist(),
        **_attributes(dataset, dataset.users, dataset.features.light_user, rows),
        **_tops(dataset, dataset.train.user, dataset.train.video, rows),
        "likes": [str(count) for count in likes[rows]],
    }
    table = network.user_embedding.table(names.USER_ID).numpy()
    return Shown("users", rows, table, metadata)


def _videos(network: CoAttentionNetwork, dataset: Dataset) -> Shown:
    likes = np.bincount(dataset.train.video, minlength=dataset.videos.size + 2)
    rows = _most_popular(likes)
    every = np.arange(1, dataset.videos.size + 1)
    metadata = {
        "video": dataset.videos.ids[rows - 1].tolist(),
        **_attributes(dataset, dataset.videos, dataset.features.light_video, rows),
        **_tops(dataset, every, every, rows),
        "likes": [str(count) for count in likes[rows]],
    }
    table = network.video_embedding.table(names.VIDEO_ID).numpy()
    return Shown("videos", rows, table, metadata)


def _groups(network: CoAttentionNetwork, dataset: Dataset) -> Shown:
    """Authors, or what else `popularity_of` declares."""
    name = dataset.features.popularity_of
    (column,) = dataset.features.columns_of([name])
    groups, videos = _values(dataset, name)
    size = len(dataset.vocabularies[name]) + 2
    of_video = np.bincount(dataset.train.video, minlength=dataset.videos.size + 2)
    likes = np.bincount(groups, of_video[videos], minlength=size).astype(int)
    count = np.bincount(groups, minlength=size)
    rows = _most_popular(likes)
    metadata = {
        column: dataset.vocabularies[name][rows - 1].tolist(),
        **_tops(dataset, groups, videos, rows),
        "videos": [str(number) for number in count[rows]],
        "likes": [str(number) for number in likes[rows]],
    }
    table = network.video_embedding.table(name).numpy()
    return Shown(column, rows, table, metadata)


def _most_popular(likes: IntArray) -> IntArray:
    """Known rows, of those with as many likes the first."""
    return 1 + np.argsort(-likes[1:-1], kind="stable")[:_MOST]


def _attributes(
    dataset: Dataset, side: Side, features: Sequence[Categorical], rows: IntArray
) -> dict[str, list[str]]:
    """Names of the single-valued attributes of rows [R]."""
    return {
        feature.column: _named(
            dataset, feature.name, np.asarray(side.columns[feature.name])[rows]
        )
        for feature in features
        if not feature.multivalued
    }


def _tops(
    dataset: Dataset, groups: IntArray, videos: IntArray, rows: IntArray
) -> dict[str, list[str]]:
    """The most frequent tag of each group's videos, for every multivalued feature.

    Args:
      dataset: has the tags of videos.
      groups, videos: pairs, as rows.
      rows: of the groups that are wanted, [R].
    """
    wanted = np.isin(groups, rows)
    groups, videos = groups[wanted], videos[wanted]
    return {
        f"top {feature.column}": _named(
            dataset, feature.name, _top(dataset, feature.name, groups, videos, rows)
        )
        for feature in dataset.features.light_video
        if feature.multivalued
    }


def _top(
    dataset: Dataset, name: str, groups: IntArray, videos: IntArray, rows: IntArray
) -> IntArray:
    """[R]: of ties, the tag that is more frequent over all; 0 where there is none."""
    tags = np.asarray(dataset.videos.columns[name])[videos]  # [pairs, L]
    group = np.repeat(groups, tags.shape[1])[tags.ravel() != 0].astype(np.int64)
    tag = tags.ravel()[tags.ravel() != 0]
    size = len(dataset.vocabularies[name]) + 2
    frequency = np.bincount(tag, minlength=size)
    pairs, counts = np.unique(group * size + tag, return_counts=True)
    group, tag = np.divmod(pairs, size)
    order = np.lexsort([frequency[tag], counts])
    top = np.zeros(int(max(rows.max(initial=0), group.max(initial=0))) + 1, int)
    top[group[order]] = tag[order]  # the last one written stays
    return top[rows]


def _values(dataset: Dataset, name: str) -> tuple[IntArray, IntArray]:
    """Values of a feature of every known video, and the video's row, one a value."""
    column = np.asarray(dataset.videos.columns[name])[1:-1]
    values = column.reshape(dataset.videos.size, -1)
    videos = np.repeat(np.arange(1, len(values) + 1), values.shape[1])
    there = values.ravel() != 0
    return values.ravel()[there].astype(int), videos[there]


def _named(dataset: Dataset, name: str, values: Any) -> list[str]:
    vocabulary = ["", *dataset.vocabularies[name], "unknown"]
    return [str(vocabulary[int(value)]) for value in values]


def _lines(metadata: dict[str, list[str]]) -> str:
    """Tab-separated, a header first; a tab or line break in a name becomes a space."""
    rows = [list(metadata), *zip(*metadata.values(), strict=True)]
    return "".join("\t".join(" ".join(c.split()) for c in row) + "\n" for row in rows)

"""Methods that know attributes alone, and so can score what nobody has liked yet.

Shapes: B users, V videos, G groups of users, H groups of videos, W words.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, hstack

from uvcan_tf.config import ConfigError
from uvcan_tf.data.dataset import Dataset, IntArray, Side
from uvcan_tf.data.matrices import likes_of, one_hot
from uvcan_tf.features import Feature
from uvcan_tf.validators import require_positive

EVERYONE = ""


@dataclasses.dataclass(frozen=True)
class AttributePopularitySettings:
    """Within which attributes likes are counted.

    Args:
      user: attribute whose values group users; "" for one group of everyone.
      video: attribute whose values group videos; "" for every video by itself.
      smoothing: pairs of user and video for which everyone's rate is counted.
    """

    user: str = EVERYONE
    video: str = EVERYONE
    smoothing: float = 1000.0

    def __post_init__(self) -> None:
        require_positive("smoothing", self.smoothing)


class AttributePopularity:
    """Popularity within attributes: how often users like yours like videos like that.

        r_gh = (likes_gh + s r_h) / (|g| |h| + s),  r_h = likes_h / (|U| |h|)

    A video in several groups, by several tags, has their mean; one in none has 0.
    """

    def __init__(self, dataset: Dataset, settings: AttributePopularitySettings) -> None:
        users = _groups(dataset.users, dataset.features.user, settings.user, False)
        videos = _groups(dataset.videos, dataset.features.video, settings.video, True)
        likes = likes_of(dataset)
        trained = (np.diff(likes.indptr) > 0).astype(np.float64)  # [n+2]
        sizes = videos.sum(axis=0).A1  # |h|, [H]
        everyone = (likes.sum(axis=0) @ videos).A1 / np.maximum(trained.sum(), 1)
        rate = np.divide(everyone, sizes, out=np.zeros_like(sizes), where=sizes > 0)
        counts = (users.T @ likes @ videos).toarray()  # likes_gh, [G, H]
        pairs = np.outer(users.T @ trained, sizes)
        s = settings.smoothing
        self._rates = (counts + s * rate) / (pairs + s)  # r_gh, [G, H]
        self._everyone = rate
        self._users = users
        parts = videos.sum(axis=1).A1
        self._videos = diags(1.0 / np.maximum(parts, 1.0)) @ videos  # [V, H]

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; a user in no group gets everyone's rates."""
        member = self._users[users]  # [B, G]
        count = member.sum(axis=1).A1[:, None]
        rates = np.asarray(member @ self._rates)
        rates = np.where(count > 0, rates / np.maximum(count, 1.0), self._everyone)
        return (self._videos @ rates.T).T.astype(np.float32)


class ContentProfile:
    """Scores a video by the cosine of its attributes with those of the user's likes.

    Attributes are words weighted by their rarity, ln(V / videos that have them); the
    profile of a user without likes is that of everyone.
    """

    def __init__(self, dataset: Dataset) -> None:
        categorical = [f for f in dataset.features.video if f.width is None]
        parts = [_words(dataset.videos, feature.name) for feature in categorical]
        empty = csr_matrix((dataset.videos.size, 1))
        words = hstack([empty, *parts], "csr")  # [V, W]
        having = np.maximum(words.getnnz(axis=0), 1)
        weighted = words @ diags(np.log(max(dataset.videos.size, 2) / having))
        self._videos = _unit(weighted.tocsr())
        likes = likes_of(dataset)
        self._profiles = _unit((likes @ self._videos).tocsr())  # [n+2, W]
        self._strangers = np.diff(likes.indptr) == 0
        everyone = csr_matrix(likes.sum(axis=0)) @ self._videos  # [1, W]
        self._everyone = _unit(everyone.tocsr()).toarray()

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]."""
        profiles = self._profiles[users].toarray()  # [B, W]
        profiles[self._strangers[users]] = self._everyone
        return (self._videos @ profiles.T).T.astype(np.float32)


def _groups(
    side: Side, features: tuple[Feature, ...], name: str, alone: bool
) -> csr_matrix:
    """Which rows are in which group: [n+2, G] of users, [n, H] of videos."""
    known = [f.name for f in features if f.width is None]
    if name not in (EVERYONE, *known):
        raise ConfigError(
            f"An attribute to group by should be one of {', '.join(known)}. "
            f"Received: {name!r}."
        )
    rows = side.size if alone else side.size + 2
    if name != EVERYONE:
        return _words(side, name) if alone else one_hot(side.columns[name])
    if alone:
        return csr_matrix(diags(np.ones(rows)))
    return csr_matrix(np.ones([rows, 1]))


def _words(side: Side, name: str) -> csr_matrix:
    return one_hot(side.columns[name][1:-1])


def _unit(rows: csr_matrix) -> csr_matrix:
    norms = np.sqrt(rows.multiply(rows).sum(axis=1)).A1
    return csr_matrix(diags(1.0 / np.where(norms > 0, norms, 1.0)) @ rows)

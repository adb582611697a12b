"""A made-up world of users and videos whose tastes are known by construction.

U users, V videos, C kinds of video facet (author, music, tags, visual), R latent traits
of a kind. A user likes videos by score(u, v) = strength · Σ_c a_uc ⟨t_uc, x_vc⟩ + p_v:
a_u is the planted attention, t_uc a unit vector of taste, x_vc the traits of the
video's author, music, tags or look, p_v a popularity with a long tail.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "Size", "World", "draw_likes", "plant"]

MISSING: Final = -1

_KINDS: Final = 4
_STRENGTH: Final = 5.0
_ATTENTION: Final = (0.7, 0.2, 0.05, 0.05)
_ATTENTION_BY_ATTRIBUTES: Final = 0.6
_TASTE_BY_LOCATION: Final = 0.6
_TAGS_A_VIDEO: Final = 3
_MISSING_SHARE: Final = 0.03
_LIKES_SPREAD: Final = 0.6
_SOONEST: Final = np.float32(1e-30)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of everything a world has; `likes` at least five a user."""

    users: int
    videos: int
    likes: int
    visual_length: int
    authors: int
    music: int
    tags: int
    clusters: int
    locations: int
    traits: int


@dataclasses.dataclass(frozen=True)
class World:
    """Who is who: categories as numbers, `MISSING` where a row has none.

    Args:
      gender: [U], 0 or 1.
      location: [U].
      attention: [U, C], planted weights of the kinds, each row sums to 1.
      taste: [U, C · R], strength · a_uc · t_uc.
      author: [V].
      music: [V].
      tags: [V, T], each video's tags without repetition.
      cluster: [V], of the look; a video without one has no visual vector.
      traits: [V, C · R], x_vc, zeros where the video has no such facet.
      popularity: [V], p_v.
    """

    gender: Ints
    location: Ints
    attention: Floats
    taste: Floats
    author: Ints
    music: Ints
    tags: Ints
    cluster: Ints
    traits: Floats
    popularity: Floats

    def scores(self, user: int) -> Floats:
        """The scores of all videos for one user, [V]."""
        return self.traits @ self.taste[user] + self.popularity


def plant(size: Size, seed: int) -> World:
    """Draws a world; the same size and seed give the same world."""
    rng = np.random.default_rng([seed, 0])
    gender = _some_missing(rng, rng.integers(2, size=size.users))
    location = _some_missing(rng, rng.integers(size.locations, size=size.users))
    attention = _attention(rng, gender, location)
    taste = _taste(rng, location, (size.locations + 1, _KINDS, size.traits))
    weighted = _STRENGTH * attention[:, :, None] * taste  # [U, C, R]
    author = _long_tailed(rng, size.authors, size.videos)
    music = _some_missing(rng, _long_tailed(rng, size.music, size.videos))
    tags = _tags(rng, size)
    cluster = _some_missing(rng, rng.integers(size.clusters, size=size.videos))
    kinds = (size.authors, author), (size.music, music), (size.clusters, cluster)
    of_author, of_music, of_look = (
        _traits(rng, (count, size.traits), number[:, None]) for count, number in kinds
    )
    of_tags = _traits(rng, (size.tags, size.traits), tags)
    rank = rng.permutation(size.videos) + 1.0
    return World(
        gender=gender,
        location=location,
        attention=attention,
        taste=weighted.reshape(size.users, -1).astype(np.float32),
        author=author,
        music=music,
        tags=tags,
        cluster=cluster,
        traits=np.concatenate([of_author, of_music, of_tags, of_look], axis=1),
        popularity=(-0.7 * np.log(rank + 5)).astype(np.float32),
    )


def draw_likes(world: World, likes: int, seed: int) -> tuple[Ints, Ints]:
    """Draws so many liked pairs, at least five a user, each user's without replacement.

    The videos of a user are the top n of score + Gumbel noise: a draw of n from the
    softmax of the scores. One user at a time, so memory stays flat.

    Returns:
      Users [P] and videos [P] as numbers, sorted by user and video.
    """
    rng = np.random.default_rng([seed, 1])
    counts = _counts(rng, len(world.gender), likes)
    chosen = []
    for user, count in enumerate(counts):
        waiting = rng.standard_exponential(len(world.popularity), dtype=np.float32)
        late = np.log(np.maximum(waiting, _SOONEST)) - world.scores(user)
        chosen.append(np.sort(np.argpartition(late, count)[:count]))
    return np.repeat(np.arange(len(counts)), counts), np.concatenate(chosen)


def _counts(rng: np.random.Generator, users: int, likes: int) -> Ints:
    """Likes of each user, [U]: log-normal, at least five, of the wanted sum."""
    spread = np.exp(_LIKES_SPREAD * np.clip(rng.standard_normal(users), -2.5, 2.5))
    spare = likes - 5 * users
    counts = 5 + np.floor(spare * spread / spread.sum()).astype(np.int64)
    counts[: likes - counts.sum()] += 1
    return counts


def _attention(rng: np.random.Generator, gender: Ints, location: Ints) -> Floats:
    """Weights of the kinds, [U, C]; the first kind follows the attributes in part."""
    users = len(gender)
    order = rng.random((users, _KINDS)).argsort(axis=1)
    told = (location + 2 * gender) % _KINDS
    first = np.where(rng.random(users) < _ATTENTION_BY_ATTRIBUTES, told, order[:, 0])
    rest = order[order != first[:, None]].reshape(users, _KINDS - 1)
    attention = np.empty((users, _KINDS), np.float32)
    kinds = np.concatenate([first[:, None], rest], axis=1)
    weights = np.array([_ATTENTION], np.float32)
    np.put_along_axis(attention, kinds, weights, axis=1)
    return attention


def _taste(
    rng: np.random.Generator, location: Ints, shape: tuple[int, int, int]
) -> Any:
    """Unit vectors, [U, C, R], that lean towards those of the user's location."""
    common = rng.standard_normal(shape)[location]
    own = rng.standard_normal((len(location), *shape[1:]))
    taste = _TASTE_BY_LOCATION * common + (1 - _TASTE_BY_LOCATION) * own
    return taste / np.linalg.norm(taste, axis=2, keepdims=True)


def _traits(rng: np.random.Generator, shape: tuple[int, int], numbers: Ints) -> Floats:
    """Traits of each video, [V, R]: of unit variance, whatever it has of a kind."""
    nothing = np.zeros((1, shape[1]), np.float32)  # row MISSING, the last
    traits = np.append(rng.standard_normal(shape, np.float32), nothing, axis=0)
    present = (numbers != MISSING).sum(axis=1, keepdims=True)
    return traits[numbers].sum(axis=1) / np.sqrt(np.maximum(present, 1, dtype="f4"))


def _tags(rng: np.random.Generator, size: Size) -> Ints:
    """Up to three tags of each video, [V, T]; frequent tags first, none repeated."""
    tags = _long_tailed(rng, size.tags, size.videos * _TAGS_A_VIDEO)
    tags = np.sort(tags.reshape(size.videos, _TAGS_A_VIDEO), axis=1)
    repeated = np.diff(tags, axis=1, prepend=MISSING) == 0
    kept = rng.integers(1, _TAGS_A_VIDEO + 1, size=(size.videos, 1))
    kept[rng.random(size.videos) < _MISSING_SHARE] = 0
    return np.where(repeated | (np.arange(_TAGS_A_VIDEO) >= kept), MISSING, tags)


def _long_tailed(rng: np.random.Generator, count: int, draws: int) -> Ints:
    """Draws of 0..count-1 in which number i comes up about as 1 / (i + 3)^0.8."""
    weights = 1 / (np.arange(count) + 3.0) ** 0.8
    return rng.choice(count, size=draws, p=weights / weights.sum())


def _some_missing(rng: np.random.Generator, numbers: Ints) -> Ints:
    return np.where(rng.random(len(numbers)) < _MISSING_SHARE, MISSING, numbers)

"""Synthetic tables of planted tastes, in the sizes of the paper's Table 2."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from uvcan_tf.data import columns
from uvcan_tf.data.folder import whole_folder
from uvcan_tf.data.sources.planted_world import (
    MISSING,
    Ints,
    Size,
    World,
    draw_likes,
    plant,
)
from uvcan_tf.data.split import hold_out
from uvcan_tf.data.summary import Summary, summarise
from uvcan_tf.data.tables import Tables, check, write_tables
from uvcan_tf.data.vectors import vectors_to_column
from uvcan_tf.errors import DataError
from uvcan_tf.features import LABEL, PAPER, USER_ID, VIDEO_ID, Dense, Features

__all__ = ["PLANTED_ATTENTION", "PRESETS", "WORLD", "Report", "generate"]

PLANTED_ATTENTION: Final = "planted_attention.csv"
WORLD: Final = "world.json"

_GENDER, _LOCATION = (feature.name for feature in PAPER.user)
_AUTHOR, _MUSIC, _TAGS, _VISUAL = (feature.name for feature in PAPER.video)

PRESETS: Final[Mapping[str, Size]] = {
    "tiny": Size(200, 400, 6_000, 16, 16, 12, 8, 5, 4, 2),
    "small": Size(800, 2_000, 48_000, 16, 200, 150, 32, 16, 20, 4),
    "toffee_a": Size(780, 73_015, 233_144, 1024, 9_000, 6_000, 64, 32, 30, 4),
    "toffee_b": Size(3_231, 50_574, 336_460, 1024, 6_000, 4_000, 64, 32, 30, 4),
    "million": Size(6_000, 1_000_000, 600_000, 16, 90_000, 60_000, 256, 64, 30, 4),
}

_ROWS_A_BLOCK: Final = 4096
_USERS_RANKED: Final = 300


@dataclasses.dataclass(frozen=True)
class Report:
    """The tables' sizes, and HR@10 among 1,000 unobserved videos of two rankings.

    `oracle` ranks by the score that generated the likes, which no model can beat but
    by luck; `popularity` by the number of likes in training.
    """

    summary: Summary
    oracle_hr_at_10: float
    popularity_hr_at_10: float


def generate(preset: str, out: Path, seed: int) -> Report:
    """Writes the tables of a planted world, and what was planted, into a folder.

    Beside the three tables and `features.json` stand `planted_attention.csv`, each
    user's weight of each kind of video facet, and `world.json`, the report. The same
    preset and seed give the same files.

    Raises:
      DataError: the preset is unknown, or the folder cannot be written.
    """
    if preset not in PRESETS:
        raise DataError(
            f"`preset` should be one of {', '.join(PRESETS)}. Received: {preset!r}."
        )
    size = PRESETS[preset]
    world = plant(size, seed)
    user, video = draw_likes(world, size.likes, seed)
    ids = _names("u", np.arange(size.users)), _names("v", np.arange(size.videos))
    tables = Tables(
        users=_users(world, ids[0]),
        videos=_videos(world, ids[1], size, seed),
        interactions=pa.table(
            {
                USER_ID: ids[0].take(pa.array(user)),
                VIDEO_ID: ids[1].take(pa.array(video)),
                LABEL: pa.array(np.ones(len(user), np.int8)),
            }
        ),
    )
    check(tables)
    report = Report(summarise(tables), *_hit_rates(world, tables, user, video, seed))
    with whole_folder(out) as partial:
        write_tables(partial, tables, _declaration(size))
        _write_attention(partial / PLANTED_ATTENTION, ids[0], world)
        content = {"preset": preset, "seed": seed, **dataclasses.asdict(report)}
        text = json.dumps(content, indent=2)
        (partial / WORLD).write_text(text + "\n", encoding="utf-8")
    return report


def _declaration(size: Size) -> Features:
    visual = Dense(_VISUAL, size.visual_length)
    return dataclasses.replace(PAPER, video=(*PAPER.light_video, visual))


def _users(world: World, ids: pa.Array) -> pa.Table:
    gender = np.array(["female", "male", None], object)[world.gender]
    return pa.table(
        {
            USER_ID: ids,
            _GENDER: pa.array(gender, pa.string()),
            _LOCATION: _names("city", world.location),
        }
    )


def _videos(world: World, ids: pa.Array, size: Size, seed: int) -> pa.Table:
    tags = _names("tag", world.tags.ravel())
    bounds = np.arange(0, len(tags) + 1, world.tags.shape[1], dtype=np.int32)
    lists = pa.ListArray.from_arrays(pa.array(bounds), tags)
    vectors = vectors_to_column(
        _VISUAL, _looks(world, size, seed), world.cluster != MISSING, ids
    )
    return pa.table(
        {
            VIDEO_ID: ids,
            _AUTHOR: _names("author", world.author),
            _MUSIC: _names("music", world.music),
            _TAGS: columns.multivalued(_TAGS, lists),
            _VISUAL: vectors,
        }
    )


def _looks(world: World, size: Size, seed: int) -> npt.NDArray[np.float32]:
    """Cluster centre + noise, half the variance each, one a dimension: [V, D]."""
    rng = np.random.default_rng([seed, 2])
    shape = (size.clusters + 1, size.visual_length)
    centres = rng.standard_normal(shape, np.float32)
    looks = np.empty((size.videos, size.visual_length), np.float32)
    for start in range(0, size.videos, _ROWS_A_BLOCK):
        block = looks[start : start + _ROWS_A_BLOCK]
        rng.standard_normal(dtype=np.float32, out=block)
        block += centres[world.cluster[start : start + _ROWS_A_BLOCK]]
        block *= np.float32(np.sqrt(0.5))
    looks[world.cluster == MISSING] = 0
    return looks


def _names(prefix: str, numbers: Ints) -> pa.Array:
    """`prefix` and the number from 1 as strings; null where missing."""
    text = np.char.add(prefix, (numbers + 1).astype(str)).astype(object)
    return pa.array(text, pa.string(), mask=numbers == MISSING)


def _write_attention(path: Path, ids: pa.Array, world: World) -> None:
    kinds = (_AUTHOR, _MUSIC, _TAGS, _VISUAL)
    weights = zip(kinds, world.attention.T, strict=True)
    table = {USER_ID: ids} | {kind: pa.array(weight) for kind, weight in weights}
    pyarrow.csv.write_csv(pa.table(table), path)


def _hit_rates(
    world: World, tables: Tables, user: Ints, video: Ints, seed: int
) -> tuple[float, float]:
    """HR@10 of the generating score and of popularity, on some users' held-out 20 %."""
    user_ids = tables.interactions[USER_ID].to_numpy()
    video_ids = tables.interactions[VIDEO_ID].to_numpy()
    held_out = hold_out(user_ids, video_ids, 0.2, 1)
    trained = np.bincount(video[~held_out], minlength=len(world.author))
    rng = np.random.default_rng([seed, 3])
    some = rng.permutation(len(world.gender))[:_USERS_RANKED]
    hits: list[Any] = []
    for one in some:
        rows = slice(*np.searchsorted(user, [one, one + 1]))
        unobserved = np.setdiff1d(np.arange(len(trained)), video[rows])
        wanted = video[rows][held_out[rows]]
        for target in wanted:
            others = rng.choice(unobserved, min(1000, len(unobserved)), replace=False)
            hits.append([_hit(s, target, others) for s in (world.scores(one), trained)])
    oracle, popularity = np.mean(hits, axis=0)
    return float(oracle), float(popularity)


def _hit(scores: npt.NDArray[Any], target: int, others: Ints) -> bool:
    better = (scores[others] > scores[target]).sum()
    ties = (scores[others] == scores[target]).sum()
    return bool(better + ties / 2 < 10)

"""Every public layout, from raw files of made-up rows to recommendations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from uvcan_tf import api
from uvcan_tf.config import Config, EvaluationConfig, ModelConfig, TrainingConfig
from uvcan_tf.data.cli import data
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.long  # each layout trains a model for one epoch

USERS, VIDEOS, LIKES = 8, 24, 10
START_S = 1_649_505_600
#: User, video and second of each like: those of a user in order of time.
PAIRS = [
    (user, (user * 5 + place * 7) % VIDEOS, START_S + 60 * place + user)
    for user in range(USERS)
    for place in range(LIKES)
]
CONFIG = Config(
    model=ModelConfig(factors=4, hops=1, hidden=(4,)),
    training=TrainingConfig(epochs=1, batch_size=16, negatives=1),
    evaluation=EvaluationConfig(split="last", sampled_negatives=3),
)
Files = dict[str, str]


def kuairand(size: str, folder: str, parts: bool) -> Files:
    people = (
        "user_id,user_active_degree,follow_user_num_range,fans_user_num_range,"
        "friend_user_num_range,register_days_range,onehot_feat0,onehot_feat1,"
        "onehot_feat2\n"
    )
    films = "video_id,author_id,video_type,upload_type,video_duration,music_id,tag\n"
    log = "user_id,video_id,time_ms,is_like,long_view\n"
    people += "".join(
        f'{u},full_active,0,"[1,10)",0,730+,{u % 2},1,2\n' for u in range(USERS)
    )
    films += "".join(
        f'{v},{v % 5},NORMAL,Web,{v}000.0,{v},"1,{v % 3}"\n' for v in range(VIDEOS)
    )
    lines = [f"{u},{v},{s}000,1,1\n" for u, v, s in PAIRS]
    half = len(lines) // 2
    ends = ("_part1", "_part2") if parts else ("", "")
    return {
        f"{folder}user_features_{size}.csv": people,
        f"{folder}video_features_basic_{size}.csv": films,
        f"{folder}log_standard_4_08_to_4_21_{size}{ends[0]}.csv": log
        + "".join(lines[:half]),
        f"{folder}log_standard_4_22_to_5_08_{size}{ends[1]}.csv": log
        + "".join(lines[half:]),
    }


def hundred_thousand() -> Files:
    flags = "|".join(["0"] * 5 + ["1"] + ["0"] * 13)
    return {
        "u.data": "".join(f"{u}\t{v}\t4\t{s}\n" for u, v, s in PAIRS),
        "u.user": "".join(f"{u}|{20 + u}|F|artist|1\n" for u in range(USERS)),
        "u.item": "".join(
            f"{v}|F (1999)|01-Jan-1999||x|{flags}\n" for v in range(VIDEOS)
        ),
    }


def million(with_users: bool, rating: str) -> Files:
    files = {
        "ratings.dat": "".join(f"{u}::{v}::{rating}::{s}\n" for u, v, s in PAIRS),
        "movies.dat": "".join(f"{v}::F (1999)::Drama|War\n" for v in range(VIDEOS)),
    }
    people = "".join(f"{u}::M::25::{u}::1\n" for u in range(USERS))
    return files | ({"users.dat": people} if with_users else {})


def latest() -> Files:
    rows = "".join(f"{u},{v},3.5,{s}\n" for u, v, s in PAIRS)
    films = "".join(f'{v},"Film, a (1999)",Drama|War\n' for v in range(VIDEOS))
    return {
        "ratings.csv": "userId,movieId,rating,timestamp\n" + rows,
        "movies.csv": "movieId,title,genres\n" + films,
    }


LAYOUTS: dict[str, tuple[str, Callable[[], Files]]] = {
    "KuaiRand-Pure": ("kuairand", lambda: kuairand("pure", "data/", False)),
    "KuaiRand-1K": ("kuairand", lambda: kuairand("1k", "data/", False)),
    "KuaiRand-27K": ("kuairand", lambda: kuairand("27k", "", True)),
    "MovieLens 100K": ("movielens", hundred_thousand),
    "MovieLens 1M": ("movielens", lambda: million(True, "4")),
    "MovieLens 10M": ("movielens", lambda: million(False, "4.5")),
    "MovieLens latest": ("movielens", latest),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_command_makes_tables_that_a_model_learns_from(
    layout: str, tmp_path: Path
) -> None:
    source, files = LAYOUTS[layout]
    raw, out = tmp_path / "raw", tmp_path / "tables"
    for name, text in files().items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text(text, encoding="latin-1")
    result = CliRunner().invoke(data, [source, "--raw", str(raw), "--out", str(out)])
    assert result.exit_code == 0, result.output
    dataset = api.read_dataset(out, CONFIG)
    assert (dataset.users.size, dataset.videos.size) == (USERS, VIDEOS)
    last = {u: v for u, v, _ in PAIRS}
    tested = zip(dataset.test.user, dataset.test.video, strict=True)
    assert {
        int(dataset.users.ids[u - 1]): int(dataset.videos.ids[v - 1]) for u, v in tested
    } == last
    scores = (
        fit(dataset, CONFIG).scorer().scores(np.arange(1, USERS + 1, dtype=np.int32))
    )
    recommended = np.argsort(-scores, axis=1)[:, :3]
    assert recommended.shape == (USERS, 3)
    assert np.isfinite(scores).all()

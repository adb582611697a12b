"""The public KuaiRand-Pure files become the three tables of the declaration."""

from __future__ import annotations

from pathlib import Path

import pytest

from uvcan_tf import features as names
from uvcan_tf.data.sources.kuairand import Positive, convert
from uvcan_tf.data.summary import Summary
from uvcan_tf.data.tables import Tables, read_tables
from uvcan_tf.errors import DataError

USERS = """\
user_id,user_active_degree,follow_user_num_range,fans_user_num_range,\
friend_user_num_range,register_days_range,onehot_feat0,onehot_feat1,onehot_feat2
0,full_active,500+,"[100,1k)","[30,60)",730+,1,1,29.0
1,UNKNOWN,"(0,10]",0,0,8-14,0,,2
2,day_new,"(0,10]",0,0,8-14,0,3,2
"""
VIDEOS = """\
video_id,author_id,video_type,upload_type,video_duration,music_id,tag
10,7349781,NORMAL,Web,6999.0,9155697141.0,"12,65"
11,7349781,AD,Web,7000.0,0,
12,2103883,UNKNOWN,UNKNOWN,,6355810746,39
13,5067285,NORMAL,Web,120000.0,6618412736,1
"""
LOG = """\
user_id,video_id,is_like,long_view
0,10,0,1
0,11,1,1
0,12,0,0
1,10,0,1
2,13,1,0
0,13,0,0
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "user_features_pure.csv").write_text(USERS)
    (folder / "video_features_basic_pure.csv").write_text(VIDEOS)
    (folder / "log_standard_train.csv").write_text(LOG)
    return folder


def converted(raw: Path, positive: Positive, least: int) -> Tables:
    out = raw.parent / "out"
    convert(raw, out, positive, least)
    assert names.of_folder(out) == names.KUAIRAND
    return read_tables(out, names.KUAIRAND)


def rows(tables: Tables) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in tables.interactions.to_pylist()]


def test_kept_are_users_with_enough_positives_and_their_videos(raw: Path) -> None:
    tables = converted(raw, "long_view", 2)
    assert tables.users["user_id"].to_pylist() == ["0"]
    assert tables.videos["video_id"].to_pylist() == ["10", "11"]
    assert rows(tables) == [("0", "10", 1), ("0", "11", 1)]


def test_shown_pairs_of_kept_users_and_videos_have_label_0(raw: Path) -> None:
    tables = converted(raw, "is_like", 1)
    assert rows(tables) == [("0", "11", 1), ("0", "13", 0), ("2", "13", 1)]


def test_the_summary_counts_what_was_written(raw: Path) -> None:
    summary = convert(raw, raw.parent / "out", "is_like", 1)
    assert summary == Summary(users=2, videos=2, likes=2, skipped=1)
    assert summary.density == 0.5


def test_attributes_are_cleaned(raw: Path) -> None:
    tables = converted(raw, "long_view", 1)
    users = {user.pop("user_id"): user for user in tables.users.to_pylist()}
    assert users["0"]["onehot_feat2"] == "29"
    assert users["1"]["user_active_degree"] is None
    assert users["1"]["onehot_feat1"] is None
    videos = {video.pop("video_id"): video for video in tables.videos.to_pylist()}
    assert videos["10"]["music_id"] == "9155697141"
    assert videos["10"]["tags"] == ["12", "65"]
    assert videos["11"]["music_id"] is None
    assert videos["11"]["tags"] is None


def test_durations_fall_into_half_open_ranges_of_seconds(raw: Path) -> None:
    every = LOG.replace(",0,0\n", ",0,1\n").replace("1,0\n", "1,1\n")
    (raw / "log_standard_train.csv").write_text(every)
    videos = converted(raw, "long_view", 1).videos
    assert videos["duration_bucket"].to_pylist() == ["0-7", "7-15", None, "120+"]


def test_full_logs_are_merged_and_keep_the_latest_time(raw: Path) -> None:
    (raw / "log_standard_train.csv").unlink()
    head = "user_id,video_id,date,time_ms,is_like,long_view,tab\n"
    first = head + "0,10,20220408,5,0,1,1\n0,11,20220408,6,1,0,1\n"
    (raw / "log_standard_4_08_to_4_21_pure.csv").write_text(first)
    second = head + "0,10,20220422,9,1,0,1\n"
    (raw / "log_standard_4_22_to_5_08_pure.csv").write_text(second)
    tables = converted(raw, "is_like", 1)
    assert rows(tables) == [("0", "10", 1, 9000), ("0", "11", 1, 6000)]


def test_the_rows_of_a_log_without_times_may_be_its_order(raw: Path) -> None:
    out = raw.parent / "out"
    convert(raw, out, "is_like", 1, rows_in_order=True)
    tables = read_tables(out, names.KUAIRAND)
    assert rows(tables) == [("0", "11", 1, 1), ("0", "13", 0, 5), ("2", "13", 1, 4)]


def test_random_exposures_are_ignored(raw: Path) -> None:
    (raw / "log_random_4_22_to_5_08_pure.csv").write_text("nothing to read")
    assert len(rows(converted(raw, "is_like", 1))) == 3


@pytest.mark.parametrize("name", ["log_standard_train.csv", "user_features_pure.csv"])
def test_a_missing_file_is_named(raw: Path, name: str) -> None:
    (raw / name).unlink()
    with pytest.raises(DataError, match=name):
        convert(raw, raw.parent / "out", "is_like", 1)


def test_nobody_with_enough_positives_is_said(raw: Path) -> None:
    with pytest.raises(DataError, match="No user .* has 9 pairs with is_like = 1"):
        convert(raw, raw.parent / "out", "is_like", 9)
    assert not (raw.parent / "out").exists()


def test_a_video_without_features_is_named(raw: Path) -> None:
    (raw / "log_standard_train.csv").write_text(LOG + "0,99,1,1\n")
    with pytest.raises(DataError, match="1 video_ids that videos lacks.* First: 99"):
        convert(raw, raw.parent / "out", "is_like", 1)


@pytest.mark.parametrize("size", ["pure", "1k", "27k"])
@pytest.mark.parametrize("inside", [False, True])
def test_every_public_size_is_read_with_its_folder(
    tmp_path: Path, size: str, inside: bool
) -> None:
    folder = tmp_path / "raw" / "data" if inside else tmp_path / "raw"
    folder.mkdir(parents=True)
    (folder / f"user_features_{size}.csv").write_text(USERS)
    (folder / f"video_features_basic_{size}.csv").write_text(VIDEOS)
    head, *pairs = LOG.splitlines(keepends=True)
    for part, first in enumerate([0, 3], 1):
        end = f"_part{part}" if size == "27k" else ""
        text = head + "".join(pairs[first : first + 3])
        (folder / f"log_standard_4_{part}_{size}{end}.csv").write_text(text)
    assert convert(tmp_path / "raw", tmp_path / "out", "is_like", 1).likes == 2


def test_a_duration_that_is_no_number_is_named(raw: Path) -> None:
    (raw / "video_features_basic_pure.csv").write_text(
        VIDEOS.replace("6999.0", "00:08")
    )
    with pytest.raises(
        DataError, match="should be numbers. Received: '00:08' in row 1"
    ):
        convert(raw, raw.parent / "out", "is_like", 1)


PUBLIC = Path(__file__).parents[4].parent / "shared" / "data" / "kuairand_pure"


@pytest.mark.skipif(
    not PUBLIC.is_dir(),
    reason="KuaiRand-Pure is not in ../shared/data/kuairand_pure beside the repository",
)
@pytest.mark.parametrize(
    ("positive", "users", "videos", "likes"),
    [("is_like", 1192, 2853, 14518), ("long_view", 19512, 6683, 376067)],
)
def test_the_public_log_gives_its_published_figures(
    tmp_path: Path, positive: Positive, users: int, videos: int, likes: int
) -> None:
    summary = convert(PUBLIC, tmp_path / "out", positive, 5)
    assert (summary.users, summary.videos, summary.likes) == (users, videos, likes)
    read_tables(tmp_path / "out", names.KUAIRAND)

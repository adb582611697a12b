"""The world, or the model, became worse: the run tells, and the old model stays."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from tests.tfx_pipeline.small_runs import SETTINGS, Small, versions
from tests.tfx_pipeline.worlds import FEATURES
from uvcan_tf import features as names
from uvcan_tf.data.tables import Tables, read_tables, write_tables

pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A root with one pushed model, made of the tables before they change."""
    small = Small(tmp_path_factory.mktemp("changed"))
    status, screen = small.run(small.folder / "root")
    assert status == 0, screen
    return small


def _of_users(tables: Tables, name: str, values: pa.Array) -> Tables:
    column = tables.users.column_names.index(name)
    return dataclasses.replace(
        tables, users=tables.users.set_column(column, name, values)
    )


def _shrunk(tables: Tables) -> Tables:
    users = tables.users.slice(0, tables.users.num_rows // 3)
    kept = pc.is_in(tables.interactions[names.USER_ID], users[names.USER_ID])
    return dataclasses.replace(
        tables, users=users, interactions=tables.interactions.filter(kept)
    )


def _flooded(tables: Tables) -> Tables:
    places = [f"place {number}" for number in range(tables.users.num_rows)]
    return _of_users(tables, "location", pa.array(places))


def _emptied(tables: Tables) -> Tables:
    places = tables.users["location"].to_pylist()
    few = [place if number % 3 == 0 else None for number, place in enumerate(places)]
    return _of_users(tables, "location", pa.array(few, pa.string()))


def _noisy(tables: Tables) -> Tables:
    """The same likes, of videos that have nothing to do with their users."""
    random = np.random.default_rng(5)
    videos = tables.videos[names.VIDEO_ID].to_pylist()
    pairs = tables.interactions
    column = pairs.column_names.index(names.VIDEO_ID)
    drawn: list[str] = []
    for users in np.split(np.arange(pairs.num_rows), _ends_of_users(pairs)):
        drawn += random.choice(videos, len(users), replace=False).tolist()
    return dataclasses.replace(
        tables,
        interactions=pairs.set_column(column, names.VIDEO_ID, pa.array(drawn)),
    )


def _ends_of_users(pairs: pa.Table) -> list[int]:
    users = pairs[names.USER_ID].to_pylist()
    return [n for n in range(1, len(users)) if users[n] != users[n - 1]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_shrunk, "Split 'users': "),
        (_flooded, "Split 'users', feature 'location': "),
        (_emptied, "Split 'users', feature 'location': "),
    ],
)
def test_tables_that_changed_too_much_stop_the_run(
    small: Small, change: Callable[[Tables], Tables], named: str
) -> None:
    _expect(small, change, "Error: DriftGate: ", named)


def _requests(small: Small, change: Callable[[Tables], Tables]) -> Path:
    """A folder whose table `users` is the trained one after a change."""
    folder = small.folder / change.__name__
    write_tables(folder, change(read_tables(small.folder / "data", FEATURES)), FEATURES)
    return folder


def _renamed(tables: Tables) -> Tables:
    """The places as another system writes them."""
    places = [place.upper() for place in tables.users["location"].to_pylist()]
    return _of_users(tables, "location", pa.array(places))


@pytest.mark.parametrize("change", [_renamed, _emptied])
def test_requests_that_tell_other_things_stop_the_run(
    small: Small, change: Callable[[Tables], Tables]
) -> None:
    requests = _requests(small, change)
    before = versions(small.folder / "root")
    status, screen = small.run(small.folder / "root", "--requests", str(requests))
    assert status == 1, screen
    assert "Error: SkewGate: " in screen and "Feature 'location': " in screen
    assert "Traceback" not in screen
    assert versions(small.folder / "root") == before


def test_skew_that_is_meant_is_only_told(small: Small) -> None:
    requests = _requests(small, _renamed)
    more = ("--requests", str(requests), "--skew", "warn")
    status, screen = small.run(small.folder / "root", *more)
    assert status == 0, screen
    assert "Warning: Feature 'location': " in screen


def test_a_column_that_requests_lack_is_named(small: Small) -> None:
    folder = small.folder / "lacking"
    folder.mkdir()
    users = read_tables(small.folder / "data", FEATURES).users
    pa_csv.write_csv(
        users.select([names.USER_ID, "gender", "age"]), folder / "users.csv"
    )
    status, screen = small.run(small.folder / "root", "--requests", str(folder))
    assert status == 1, screen
    assert "users.csv should have the columns location, voice." in screen


def test_labels_turned_to_noise_are_not_blessed(small: Small) -> None:
    _expect(small, _noisy, "Not blessed, not pushed: hr_at_10 should ", status=0)


def test_a_diverged_run_is_not_blessed(small: Small) -> None:
    """A loss that is no number stops at once; see the tests of training."""
    training = {**SETTINGS["training"], "learning_rate": 10, "epochs": 2}
    (small.folder / "config.json").write_text(
        json.dumps({**SETTINGS, "training": training})
    )
    sentences = ("The network has collapsed: ", "Not blessed, not pushed: hr_at_10 ")
    try:
        _expect(small, lambda tables: tables, *sentences, status=0)
    finally:
        (small.folder / "config.json").write_text(json.dumps(SETTINGS))


def _expect(
    small: Small,
    change: Callable[[Tables], Tables],
    *sentences: str,
    status: int = 1,
) -> None:
    """A run on the changed tables says so, and the old version stays the newest."""
    root = small.folder / "root"
    before = versions(root)
    data = small.folder / "data"
    changed = change(read_tables(data, FEATURES))
    aside = data.rename(small.folder / "aside")
    try:
        write_tables(data, changed, FEATURES)
        got, screen = small.run(root)
    finally:
        _put_back(aside, data)
    assert got == status, screen
    for sentence in sentences:
        assert sentence in screen, screen
    assert "Traceback" not in screen
    assert versions(root) == before


def _put_back(aside: Path, data: Path) -> None:
    for path in data.iterdir():
        path.unlink()
    data.rmdir()
    aside.rename(data)

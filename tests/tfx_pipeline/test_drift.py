"""Tables that changed more than they may are told by split and feature."""

from pathlib import Path

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from tfx_pipeline import drift

pytestmark = [
    pytest.mark.slow,  # TFDV's import
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROWS = 200


def _users(rows: int = ROWS) -> pd.DataFrame:
    """A third each from three cities; every fourth has no gender."""
    return pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(rows)],
            "city": [f"city {n % 3}" for n in range(rows)],
            "gender": [None if n % 4 == 0 else "fm"[n % 2] for n in range(rows)],
            "age": [float(n % 50) for n in range(rows)],
        }
    )


def _changes(now: pd.DataFrame, before: pd.DataFrame | None = None) -> list[str]:
    frames = [_users() if before is None else before, now]
    accepted, current = map(tfdv.generate_statistics_from_dataframe, frames)
    return list(drift.changes({"users": accepted}, {"users": current}))


@pytest.mark.parametrize("rows", [ROWS, int(ROWS * 0.6), ROWS * 5])
def test_the_same_world_of_another_size_may_pass(rows: int) -> None:
    assert _changes(_users(rows)) == []


def test_a_shrunk_table_is_named() -> None:
    [said] = _changes(_users(ROWS // 3))
    assert said.startswith("Split 'users': ") and "num examples" in said


def test_a_flood_of_categories_is_named() -> None:
    flooded = _users()
    flooded["city"] = [f"city {n % 40}" for n in range(ROWS)]
    assert all("'city'" in said for said in _changes(flooded))
    assert any("unique" in said for said in _changes(flooded))


def test_a_feature_gone_missing_is_named() -> None:
    emptied = _users()
    emptied["gender"] = [
        gender if n % 3 == 0 else None for n, gender in enumerate(emptied["gender"])
    ]
    [said] = _changes(emptied)
    assert "feature 'gender'" in said and "fewer examples" in said


def test_a_value_that_takes_over_is_named() -> None:
    moved = _users()
    moved["city"] = ["city 0" if n % 5 else "city 1" for n in range(ROWS)]
    [said] = _changes(moved)
    assert "feature 'city'" in said


def test_what_was_accepted_is_what_is_read(tmp_path: Path) -> None:
    frames = {name: _users(7) for name in drift.COMPARED}
    accepted = {
        n: tfdv.generate_statistics_from_dataframe(f) for n, f in frames.items()
    }
    assert drift.read(str(tmp_path)) == {}
    drift.accept(str(tmp_path / "kept"), accepted)
    assert drift.read(str(tmp_path / "kept")) == accepted


def test_times_come_and_go_with_the_way_of_holding_out() -> None:
    timed = _users().assign(timestamp=range(ROWS))
    assert _changes(timed) == _changes(_users(), timed) == []


def test_a_log_that_doubles_makes_its_videos_more_popular() -> None:
    """Nothing is wrong with a second day as long as the first."""
    before, now = _users(), _users(2 * ROWS)
    before["popularity"], now["popularity"] = "20-99", "100+"
    assert _changes(now, before) == []

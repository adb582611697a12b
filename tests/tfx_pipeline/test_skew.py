"""Requests that tell other things of users than the tables are told by feature."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow_data_validation as tfdv

from tfx_pipeline import skew
from uvcan_tf.features import Categorical, Features, Numeric

pytestmark = [
    pytest.mark.slow,  # TFDV's import
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROWS = 300
FEATURES = Features(
    user=(Categorical("city"), Categorical("gender"), Numeric("age", "standardized")),
    video=(),
)


def _users(rows: int = ROWS) -> pd.DataFrame:
    """A third each from three cities; every fourth has no gender; ages 20 to 69."""
    return pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(rows)],
            "city": [f"city {n % 3}" for n in range(rows)],
            "gender": [None if n % 4 == 0 else "fm"[n % 2] for n in range(rows)],
            "age": [20.0 + n % 50 for n in range(rows)],
        }
    )


def _differences(folder: Path, asked: pd.DataFrame) -> list[str]:
    pq.write_table(pa.Table.from_pandas(asked), folder / "users.parquet")
    tables = tfdv.generate_statistics_from_dataframe(_users())
    return list(skew.differences(tables, skew.of_requests(folder, FEATURES)))


@pytest.mark.parametrize("rows", [ROWS, 60, ROWS * 3])
def test_requests_of_the_same_people_are_no_skew(tmp_path: Path, rows: int) -> None:
    asked = _users(rows)
    asked["user_id"] = [f"u{n % 7}" for n in range(rows)]  # the same ones ask again
    assert _differences(tmp_path, asked) == []


def test_another_spelling_of_values_is_named(tmp_path: Path) -> None:
    asked = _users()
    asked["city"] = asked["city"].str.upper()
    [said] = _differences(tmp_path, asked)
    assert said.startswith("Feature 'city': ") and "training and serving" in said


def test_a_feature_that_requests_leave_out_is_named(tmp_path: Path) -> None:
    asked = _users()
    asked["gender"] = [g if n % 3 == 0 else None for n, g in enumerate(asked["gender"])]
    assert any("'gender'" in said for said in _differences(tmp_path, asked))
    assert all("'gender'" in said for said in _differences(tmp_path, asked))


def test_numbers_of_another_unit_are_named(tmp_path: Path) -> None:
    asked = _users()
    asked["age"] = asked["age"] * 12  # months
    [said] = _differences(tmp_path, asked)
    assert said.startswith("Feature 'age': ")

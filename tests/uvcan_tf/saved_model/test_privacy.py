"""What `docs/privacy.md` says that a SavedModel holds, looked for in its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.evaluation_settings import EvaluationConfig
from uvcan_tf.hashed_ids import hashed
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.slow  # two small trainings

KEY: Final = b"0123456789abcdef"
PLAIN: Final = {
    row[names.USER_ID]: f"person {row[names.USER_ID]}" for row in worlds.USERS
}
HASHED: Final = {short: hashed(plain, KEY) for short, plain in PLAIN.items()}


def exported(ids: dict[str, str], folder: Path) -> Path:
    """The small world with other names of its users, trained and saved."""
    users = [{**row, names.USER_ID: ids[row[names.USER_ID]]} for row in worlds.USERS]
    likes = [(ids[user], f"v{n}") for user, row in worlds.LIKES for n in row]
    tables = worlds.tables(worlds.FEATURES, users, worlds.VIDEOS, likes)
    config = EvaluationConfig(held_out_fraction=0.25)
    dataset = encode_tables(tables, worlds.FEATURES, config)
    model = fit(dataset, worlds.SMALL_CONFIG)
    export(model, dataset, None, worlds.SMALL_CONFIG, folder)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(PLAIN, tmp_path_factory.mktemp("plain") / "1")


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(HASHED, tmp_path_factory.mktemp("keyed") / "1")


def holding(folder: Path, word: str) -> list[str]:
    """The files whose bytes have the word."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        str(f.relative_to(folder)) for f in files if word.encode() in f.read_bytes()
    ]


@pytest.mark.parametrize("user", PLAIN.values())
def test_user_ids_stand_in_one_asset_alone(plain: Path, user: str) -> None:
    assert holding(plain, user) == ["assets/user_id.txt"]


@pytest.mark.parametrize("user", PLAIN.values())
def test_with_a_key_no_user_id_is_anywhere(keyed: Path, user: str) -> None:
    assert holding(keyed, user) == []
    assert holding(keyed, hashed(user, KEY)) == ["assets/user_id.txt"]
    assert holding(keyed, KEY.decode()) == []

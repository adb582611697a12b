"""Numbers, vectors and several names of a user whom a saved model does not know."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.features import Categorical, Dense, Features, Numeric
from uvcan_tf.ials_settings import IALSSettings
from uvcan_tf.saved_model import warm_up
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.slow  # one export serves all, and takes a few seconds

FEATURES = Features(
    user=(
        Numeric("age", "buckets", 3),
        Numeric("income", "standardized"),
        Dense("voice", 2),
        Categorical("languages", multivalued=True),
    ),
    video=(Numeric("length", "standardized"), Numeric("year", "buckets", 2)),
)
#: `eve` likes nothing: her attributes alone speak for her, as for a stranger.
EVE: dict[str, Any] = {
    "age": 31.0,
    "income": 900.0,
    "voice": [3.0, 4.0],
    "languages": ["de", "fr"],
}
NOTHING: dict[str, Any] = dict.fromkeys(EVE)
USERS = [
    {names.USER_ID: "ann", **EVE, "age": 20.0},
    {names.USER_ID: "bob", **NOTHING},
    {names.USER_ID: "cat", **EVE, "income": 100.0, "languages": ["en"]},
    {names.USER_ID: "dan", **NOTHING, "voice": [-1.0, 0.0]},
    {names.USER_ID: "eve", **EVE},
]
VIDEOS = [
    {
        names.VIDEO_ID: f"v{number}",
        "length": None if number == 3 else 10.0 + number,
        "year": float(2000 + number),
    }
    for number in range(11)
]
GIVEN = {
    "age": [31.0],
    "income": [900.0],
    "voice": [[3.0, 4.0]],
    "languages": [["de", "fr"]],
}


def of_users(users: list[dict[str, Any]]) -> Dataset:
    likes = [(user, f"v{number}") for user, row in worlds.LIKES for number in row]
    tables = worlds.tables(FEATURES, users, VIDEOS, likes)
    return encode_tables(tables, FEATURES, EvaluationConfig(held_out_fraction=0.25))


@pytest.fixture(
    scope="module", params=[None, IALSSettings(factors=3, attribute_ridge=1.0)]
)
def rank(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Scores of all videos for a user, by `rank_by_attributes` or `recommend`."""
    dataset = of_users(USERS)
    config = dataclasses.replace(worlds.SMALL_CONFIG, prior=request.param)
    folder = tmp_path_factory.mktemp("export") / "1"
    export(fit(dataset, config), dataset, None, config, folder)
    loaded = tf.saved_model.load(str(folder))
    every = [row[names.VIDEO_ID] for row in VIDEOS]

    def scores(user: str, **given: Any) -> list[float]:
        told = {
            "age": [np.nan],
            "income": [np.nan],
            "voice": [[np.nan] * 2],
            "languages": [[""]],
        } | given
        function = loaded.signatures[names.RANK_BY_ATTRIBUTES]
        wanted = function.structured_input_signature[1]
        inputs = {names.USER_ID: [user], names.VIDEO_IDS: [every], **told}
        outputs = function(
            **{n: tf.constant(v, wanted[n].dtype) for n, v in inputs.items()}
        )
        return [float(score) for score in outputs[names.SCORE].numpy()[0]]

    return scores


def test_a_stranger_with_the_attributes_of_a_user_gets_the_scores(rank: Any) -> None:
    np.testing.assert_allclose(rank("nobody", **GIVEN), rank("eve"), rtol=1e-5)


@pytest.mark.parametrize("left_out", GIVEN)
def test_every_attribute_counts(rank: Any, left_out: str) -> None:
    some = {name: value for name, value in GIVEN.items() if name != left_out}
    assert not np.allclose(rank("nobody", **some), rank("eve"), rtol=1e-6)


def test_numbers_of_a_known_user_are_not_asked_for(rank: Any) -> None:
    assert rank("ann", **GIVEN) == pytest.approx(rank("ann"), rel=1e-6)


def test_zero_is_a_number(rank: Any) -> None:
    zero = rank("nobody", income=[0.0])
    assert not np.allclose(zero, rank("nobody"), rtol=1e-6)


def test_warm_up_requests_tell_of_nobody() -> None:
    dataset = of_users(USERS)
    written = [log.SerializeToString() for log in warm_up.requests(dataset)]
    for user in dataset.users.ids:
        assert not [log for log in written if f"\x03{user}".encode() in log]
    values = warm_up.example(dataset).features.feature
    assert set(EVE) <= set(values)
    assert values["user_id"].bytes_list.value[0].decode() not in dataset.users.ids

"""Raw rows become the examples that the model parses."""

import pytest
import tensorflow as tf

from serving.client.encoder import encode
from serving.client.errors import InvalidRequest
from uvcan_tf.features import Categorical, Dense, Features

FEATURES = Features(
    user=(Categorical("gender"),),
    video=(Categorical("tags", multivalued=True), Dense("visual", 3)),
)


def _parse(row: dict[str, object]) -> dict[str, list[object]]:
    [example] = encode([row], FEATURES)
    names = {"user_id": tf.string, "gender": tf.string, "tags": tf.string}
    spec = {
        name: tf.io.RaggedFeature(dtype)
        for name, dtype in {**names, "visual": tf.float32}.items()
    }
    parsed = tf.io.parse_single_example(example, spec)
    return {name: value.numpy().tolist() for name, value in parsed.items()}


def test_every_kind_of_feature_arrives() -> None:
    row = {"user_id": "ü", "gender": "f", "tags": ["a", "b"], "visual": [1, 2, 3.5]}
    assert _parse(row) == {
        "user_id": ["ü".encode()],
        "gender": [b"f"],
        "tags": [b"a", b"b"],
        "visual": [1.0, 2.0, 3.5],
    }


def test_none_and_absent_values_stay_missing() -> None:
    assert _parse({"user_id": "u", "gender": None}) == {
        "user_id": [b"u"],
        "gender": [],
        "tags": [],
        "visual": [],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"colour": "red"}, "'colour' is not a feature. Known: user_id, video_id, gen"),
        ({"gender": 1}, "'gender' should be a string. Received: 1."),
        ({"gender": ["f", "m"]}, "'gender' should be a string."),
        ({"tags": [1]}, "'tags' should be a string or strings."),
        ({"visual": [1.0]}, r"'visual' should be 3 numbers. Received: \[1.0\]."),
        ({"visual": "abc"}, "'visual' should be 3 numbers."),
    ],
)
def test_a_wrong_value_names_row_and_feature(
    row: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Row 1: {message}"):
        encode([{}, row], FEATURES)

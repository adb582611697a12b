"""Raw rows become the examples that the model parses."""

import numpy as np
import pytest
import tensorflow as tf

from serving.client.encoder import encode
from serving.client.errors import InvalidRequest
from uvcan_tf.features import Categorical, Dense, Features, Numeric

FEATURES = Features(
    user=(Categorical("gender"), Numeric("age", "buckets", 3)),
    video=(Categorical("tags", multivalued=True), Dense("visual", 3)),
)


def _parse(row: dict[str, object]) -> dict[str, list[object]]:
    [example] = encode([row], FEATURES)
    names = {"user_id": tf.string, "gender": tf.string, "tags": tf.string}
    spec = {
        name: tf.io.RaggedFeature(dtype)
        for name, dtype in {**names, "age": tf.float32, "visual": tf.float32}.items()
    }
    parsed = tf.io.parse_single_example(example, spec)
    return {name: value.numpy().tolist() for name, value in parsed.items()}


def test_every_kind_of_feature_arrives() -> None:
    row = {"user_id": "ü", "gender": "f", "tags": ["a", "b"], "visual": [1, 2, 3.5]}
    assert _parse({**row, "age": 30}) == {
        "age": [30.0],
        "user_id": ["ü".encode()],
        "gender": [b"f"],
        "tags": [b"a", b"b"],
        "visual": [1.0, 2.0, 3.5],
    }


def test_none_and_absent_values_stay_missing() -> None:
    assert _parse({"user_id": "u", "gender": None}) == {
        "user_id": [b"u"],
        "gender": [],
        "age": [],
        "tags": [],
        "visual": [],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"colour": "red"}, "'colour' is not a feature. Known: user_id, video_id, gen"),
        ({"gender": 1}, "'gender' should be a string .*Received: 1."),
        ({"gender": ["f", "m"]}, "'gender' should be a string"),
        ({"gender": "\ud800"}, "'gender' should be a string that UTF-8 can write"),
        ({"tags": [1]}, "'tags' should be a string or strings"),
        ({"tags": {1, "a"}}, "'tags' should be a string or strings"),
        ({"tags": np.array(["a", None])}, "'tags' should be a string or strings"),
        (["gender", "f"], "a row should be a mapping"),
        ({"visual": [1.0]}, r"'visual' should be 3 numbers. Received: \[1.0\]."),
        ({"visual": "abc"}, "'visual' should be 3 numbers."),
    ],
)
def test_a_wrong_value_names_row_and_feature(
    row: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Row 1: {message}"):
        encode([{}, row], FEATURES)


def test_arrays_and_sets_are_lists_of_values() -> None:
    assert _parse({"tags": np.array(["b", "a"])})["tags"] == [b"b", b"a"]
    assert _parse({"tags": {"b", "a"}})["tags"] == [b"a", b"b"]


@pytest.mark.parametrize("rows", [None, "u1", 3, {"user_id": "u1"}])
def test_rows_should_be_a_list(rows: object) -> None:
    with pytest.raises(InvalidRequest, match="`rows` should be a list of rows"):
        encode(rows, FEATURES)  # type: ignore[arg-type]

"""A raw row means the same number everywhere: missing 0, known 1..n, unknown n + 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.data.encoding import Encoded, VocabularyLookup, encode, raw_spec
from uvcan_tf.features import (
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Features,
    Numeric,
)
from uvcan_tf.saved_model.asset_lookup import AssetLookup

FEATURES = Features(
    user=(Categorical("gender"),),
    video=(
        Categorical("author"),
        Categorical("tags", multivalued=True),
        Dense("look", 3),
    ),
)
LOOKUP = VocabularyLookup(
    {
        USER_ID: ["u7", "u3"],
        VIDEO_ID: ["v5", "v2", "v11"],
        "gender": ["f", "m"],
        "author": [],
        "tags": ["sea", "sky", "sun", "ice", "fog"],
    }
)


def serialized(**values: list[str] | list[float]) -> bytes:
    example = tf.train.Example()
    for name, several in values.items():
        feature = example.features.feature[name]
        if several and isinstance(several[0], str):
            feature.bytes_list.value.extend(str(s).encode() for s in several)
        else:
            feature.float_list.value.extend(several)
    return example.SerializeToString()


def encoded(*rows: dict[str, Any]) -> Encoded:
    examples = [serialized(**row) for row in rows]
    raw = tf.io.parse_example(examples, raw_spec(FEATURES))
    return encode(FEATURES, raw, LOOKUP)


def only(name: str, *values: list[Any]) -> tf.Tensor | tf.SparseTensor:
    return encoded(*({name: several} if several else {} for several in values))[name]


def test_ids_are_missing_known_or_unknown() -> None:
    users = only(USER_ID, ["u3"], [], ["u7"], ["nobody"])
    videos = only(VIDEO_ID, ["v11"], ["v5"], [], ["v2"], ["nothing"])
    assert users.dtype == videos.dtype == tf.int64
    assert users.numpy().tolist() == [2, 0, 1, 3]
    assert videos.numpy().tolist() == [3, 1, 0, 2, 4]


def test_a_single_category_is_missing_known_or_unknown() -> None:
    gender = only("gender", [], ["m"], ["x"], ["f"], [])
    assert gender.dtype == tf.int64
    assert gender.numpy().tolist() == [0, 2, 3, 1, 0]


def test_with_an_empty_vocabulary_every_value_is_unknown() -> None:
    assert only("author", ["a"], [], ["b"]).numpy().tolist() == [1, 0, 1]


def test_the_first_of_several_single_values_counts() -> None:
    assert only("gender", ["m", "f"], ["x", "m"]).numpy().tolist() == [2, 3]


def test_a_multivalued_category_keeps_every_value_in_order() -> None:
    tags = only("tags", ["sun", "sea"], [], ["fog", "moss", "ice"], ["moss"])
    assert isinstance(tags, tf.SparseTensor)
    assert tags.dtype == tf.int64
    np.testing.assert_array_equal(
        tf.sparse.to_dense(tags), [[3, 1, 0], [0, 0, 0], [5, 6, 4], [6, 0, 0]]
    )


def test_dense_vectors_have_length_one_and_missing_ones_are_zero() -> None:
    look = only("look", [], [3.0, 0.0, -4.0], [], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0])
    assert look.dtype == tf.float32
    expected = [[0, 0, 0], [0.6, 0, -0.8], [0, 0, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(look, expected, atol=1e-6)


def test_vectors_that_are_already_dense_are_scaled_alike() -> None:
    rows = [[3.0, 0.0, -4.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]]
    straight = encode(FEATURES, {"look": tf.constant(rows)}, LOOKUP)["look"]
    np.testing.assert_allclose(straight, only("look", *rows), atol=1e-6)


@pytest.mark.parametrize("wrong", [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_vector_of_another_length_fails(wrong: list[float]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        only("look", [1.0, 2.0, 3.0], wrong)


def test_a_short_vector_fails_inside_a_graph_and_names_the_length() -> None:
    @tf.function
    def look(examples: tf.Tensor) -> tf.Tensor:
        raw = tf.io.parse_example(examples, raw_spec(FEATURES))
        return encode(FEATURES, raw, LOOKUP)["look"]

    good = tf.constant([serialized(look=[0.0, 2.0, 0.0])])
    np.testing.assert_allclose(look(good), [[0, 1, 0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="should have 3 values"):
        look(tf.constant([serialized(look=[1.0, 2.0])]))


def test_the_spec_names_every_feature_and_its_type() -> None:
    assert {name: spec.dtype for name, spec in raw_spec(FEATURES).items()} == {
        USER_ID: tf.string,
        VIDEO_ID: tf.string,
        "gender": tf.string,
        "author": tf.string,
        "tags": tf.string,
        "look": tf.float32,
    }


def test_a_whole_row_survives_the_wire() -> None:
    row = {
        USER_ID: ["u7"],
        VIDEO_ID: ["v2"],
        "gender": ["m"],
        "author": ["a"],
        "tags": ["sky", "ice"],
        "look": [0.0, -7.0, 0.0],
    }
    found = encoded(row, {})
    expected = {
        USER_ID: [1, 0],
        VIDEO_ID: [2, 0],
        "gender": [2, 0],
        "author": [1, 0],
        "tags": [[2, 4], [0, 0]],
        "look": [[0, -1, 0], [0, 0, 0]],
    }
    assert set(found) == set(expected)
    for name, value in found.items():
        sparse = isinstance(value, tf.SparseTensor)
        dense = tf.sparse.to_dense(value) if sparse else value
        np.testing.assert_allclose(dense, expected[name], atol=1e-6, err_msg=name)


def test_only_the_features_that_come_in_come_out() -> None:
    raw = tf.io.parse_example([serialized(gender=["f"])], raw_spec(FEATURES))
    some = {name: raw[name] for name in ("gender", VIDEO_ID)}
    assert set(encode(FEATURES, some, LOOKUP)) == {"gender", VIDEO_ID}


def test_no_rows_give_no_rows() -> None:
    raw = tf.io.parse_example(tf.constant([], tf.string), raw_spec(FEATURES))
    found = encode(FEATURES, raw, LOOKUP)
    assert {name: value.shape[0] for name, value in found.items()} == dict.fromkeys(
        raw_spec(FEATURES), 0
    )
    assert found["look"].shape == (0, 3)


@pytest.mark.parametrize("values", [["a\nb", "c", "d\re", "f"], ["\n"], []])
def test_training_knows_the_names_that_serving_knows(
    values: list[str], tmp_path: Path
) -> None:
    asked = tf.constant([*values, "a", "b", "other"], tf.string)
    training = VocabularyLookup({"place": values})("place", asked)
    serving = AssetLookup({"place": values}, tmp_path)("place", asked)
    np.testing.assert_array_equal(training, serving)


NAN = float("nan")


def scaled(feature: Numeric, scale: list[float], *rows: list[float]) -> list[Any]:
    examples = [serialized(**({"n": row} if row else {})) for row in rows]
    features = Features((feature,), ())
    raw = tf.io.parse_example(examples, raw_spec(features))
    raw = {"n": raw["n"]}
    return encode(features, raw, LOOKUP, {"n": scale})["n"].numpy().tolist()  # type: ignore[union-attr]


def test_a_number_is_in_the_bucket_above_its_bound() -> None:
    found = scaled(
        Numeric("n", "buckets", 3), [2.0, 5.0], [1.9], [2], [], [4.9], [5], [NAN], [99]
    )
    assert found == [1, 2, 0, 2, 3, 0, 3]


def test_a_standardized_number_comes_with_a_one() -> None:
    feature = Numeric("n", "standardized")
    found = scaled(feature, [4.0, 2.0], [4], [7], [], [NAN], [-1], [10_000])
    assert found == [[0, 1], [1.5, 1], [0, 0], [0, 0], [-2.5, 1], [10, 1]]
    assert scaled(feature, [4.0, 0.0], [4], [9]) == [[0, 1], [0, 1]]

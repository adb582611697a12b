"""The regression of factors on attributes is the ridge one, and serves strangers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from uvcan_tf.data.dataset import Side
from uvcan_tf.factorization.attribute_matrix import AttributeMatrix
from uvcan_tf.factorization.attribute_regression import AttributeRegression
from uvcan_tf.features import Categorical, Dense

FEATURES = (
    Categorical("author"),
    Categorical("tags", multivalued=True),
    Dense("visual", 3),
)
SIZES = {"author": 2, "tags": 3}
ROWS = 12
DRAW = np.random.default_rng(8)


def columns() -> dict[str, Any]:
    """Random attributes of 12 rows; some rows have none of a kind."""
    author = np.r_[0, DRAW.integers(0, 3, ROWS), 0].astype(np.int32)
    tags = np.zeros([ROWS + 2, 2], np.int32)
    tags[1:-1, 0] = DRAW.integers(0, 4, ROWS)
    tags[1:-1, 1] = np.where(tags[1:-1, 0] == 1, 3, 0)
    visual = np.zeros([ROWS + 2, 3], np.float32)
    visual[2:-1] = DRAW.normal(size=[ROWS - 1, 3])
    visual[2:-1] /= np.linalg.norm(visual[2:-1], axis=1, keepdims=True)
    return {"author": author, "tags": tags, "visual": visual}


COLUMNS = columns()
FACTORS = DRAW.normal(size=[ROWS, 4]).astype(np.float32)
FITTED = np.arange(ROWS) % 4 != 3


def design() -> np.ndarray:
    """Written out: a column a value, those of tags shared, vectors as they are."""
    rows = np.zeros([ROWS, 2 + 3 + 3])
    for number in range(ROWS):
        author = COLUMNS["author"][number + 1]
        if author:
            rows[number, author - 1] = 1
        tags = [tag for tag in COLUMNS["tags"][number + 1] if tag]
        for tag in tags:
            rows[number, 1 + tag] = 1 / len(tags)
        rows[number, 5:] = COLUMNS["visual"][number + 1]
    return rows


def closed_form(ridge: float, fitted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """What the regression tells of all rows, by a linear solve."""
    X, y, c = design(), FACTORS[fitted], counts[fitted] / counts[fitted].mean()
    mean = np.average(y, axis=0, weights=c)
    gram = X[fitted].T @ np.diag(c) @ X[fitted] + ridge * np.eye(X.shape[1])
    weights = np.linalg.solve(gram, X[fitted].T @ np.diag(c) @ (y - mean))
    return X @ weights + mean


def regression(
    ridge: float = 0.7, counts: np.ndarray | None = None
) -> AttributeRegression:
    side = Side(np.array([f"v{i}" for i in range(ROWS)], object), COLUMNS)
    matrix = AttributeMatrix(side, FEATURES, SIZES)
    found = AttributeRegression(matrix, FITTED, ridge, counts)
    found.fit(FACTORS)
    return found


@pytest.mark.parametrize("ridge", [0.7, 20.0])
def test_the_regression_is_the_ridge_one(ridge: float) -> None:
    expected = closed_form(ridge, FITTED, np.ones(ROWS))
    found = regression(ridge).predicted()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ridge", [0.7, 20.0])
def test_a_row_counts_as_much_as_it_is_told(ridge: float) -> None:
    counts = np.arange(ROWS, dtype=np.float32) ** 2
    expected = closed_form(ridge, FITTED, counts)
    found = regression(ridge, counts).predicted()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_second_fit_goes_on_from_the_first() -> None:
    found = regression()
    for _ in range(15):
        found.fit(FACTORS[::-1], steps=2)
    turned = regression()
    turned.fit(FACTORS[::-1])
    np.testing.assert_allclose(found.predicted(), turned.predicted(), atol=1e-3)


def test_it_serves_rows_as_it_was_fitted_to_them() -> None:
    found = regression()
    told = found.means()({name: tf.constant(c) for name, c in COLUMNS.items()})
    np.testing.assert_allclose(told[1:-1], found.predicted(), rtol=1e-4, atol=1e-5)
    mean = FACTORS[FITTED].mean(axis=0)
    np.testing.assert_allclose(told[0], mean, rtol=1e-5)  # nothing is known of it


def test_a_value_that_no_table_has_tells_nothing() -> None:
    never = {"author": [3], "tags": [[4, 0]], "visual": np.zeros([1, 3], np.float32)}
    told = regression().means()({name: tf.constant(v) for name, v in never.items()})
    np.testing.assert_allclose(told[0], FACTORS[FITTED].mean(axis=0), rtol=1e-5)


def test_without_attributes_everybody_is_the_mean() -> None:
    side = Side(np.array([f"v{i}" for i in range(ROWS)], object), {})
    found = AttributeRegression(AttributeMatrix(side, (), {}), FITTED, 1.0)
    found.fit(FACTORS)
    expected = np.tile(FACTORS[FITTED].mean(axis=0), [ROWS, 1])
    np.testing.assert_allclose(found.predicted(), expected, rtol=1e-5)
    np.testing.assert_allclose(found.means()({}), expected[0], rtol=1e-5)

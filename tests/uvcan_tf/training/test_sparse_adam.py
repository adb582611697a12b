"""Sparse Adam: Adam where every row is used, and only the used rows elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from uvcan_tf.training.sparse_adam import SparseAdam

V, K = 7, 3
RATE, BETA_1, BETA_2, EPSILON = 0.05, 0.8, 0.95, 1e-3
Array = npt.NDArray[np.float64]
Step = tuple[Sequence[int], npt.NDArray[np.float32]]


def by_row(**settings: Any) -> SparseAdam:
    return SparseAdam(RATE, BETA_1, BETA_2, EPSILON, **({"whole_below": 0} | settings))


def keras_adam() -> tf.keras.optimizers.Optimizer:
    return tf.keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON)


def first() -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(V, K)).astype(np.float32)


def steps(*rows: Sequence[int]) -> list[Step]:
    """The rows that each step uses, with random gradients [R, K]."""
    rng = np.random.default_rng(2)
    return [(r, rng.normal(size=(len(r), K)).astype(np.float32)) for r in rows]


def trained(
    optimizer: tf.keras.optimizers.Optimizer, taken: Sequence[Step]
) -> npt.NDArray[np.float32]:
    """The table after so many steps of sparse gradients."""
    x = tf.Variable(first())
    for rows, values in taken:
        slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows), [V, K])
        optimizer.apply_gradients([(slices, x)])
    return x.numpy()


def oracle(taken: Sequence[Step]) -> Array:
    """The docstring's equations, one row at a time."""
    x = first().astype(np.float64)
    m, v, last = np.zeros((V, K)), np.zeros((V, K)), np.zeros(V)
    r = BETA_1 / BETA_2**0.5
    for t, (rows, values) in enumerate(taken, start=1):
        for row in set(rows):
            g = sum(g for at, g in zip(rows, values, strict=True) if at == row)
            k = t - last[row]
            m[row] = BETA_1**k * m[row] + (1 - BETA_1) * g
            v[row] = BETA_2**k * v[row] + (1 - BETA_2) * g**2
            rate = RATE * (1 - BETA_2**t) ** 0.5 / (1 - BETA_1**t)
            moves = sum(r**j for j in range(int(k)))
            x[row] -= rate * moves * m[row] / (v[row] ** 0.5 + EPSILON)
            last[row] = t
    return x


SCATTERED = steps([0, 3], [3, 5, 3], [0, 0, 6], [5], [0, 1, 3, 5])
EVERY_ROW = steps(*[[3, 0, 1, 2, 6, 5, 4, 3]] * 5)


def test_each_step_is_the_equation() -> None:
    np.testing.assert_allclose(trained(by_row(), SCATTERED), oracle(SCATTERED), 1e-5)


@pytest.mark.parametrize("whole_below", [0, V + 1])
def test_it_is_adam_where_all_rows_are_used(whole_below: int) -> None:
    ours = trained(by_row(whole_below=whole_below), EVERY_ROW)
    np.testing.assert_allclose(ours, trained(keras_adam(), EVERY_ROW), 1e-5)


def test_it_is_adam_for_a_small_table_whatever_rows_are_used() -> None:
    ours = trained(by_row(whole_below=V + 1), SCATTERED)
    np.testing.assert_allclose(ours, trained(keras_adam(), SCATTERED), 1e-5)


def test_a_vector_moves_as_a_table_of_one_column() -> None:
    """As the bias of each video does, of which there may be a million."""
    optimizer, vector = by_row(), tf.Variable(first()[:, 0])
    column = tf.Variable(first()[:, :1])
    for rows, values in steps([0, 2, 2], [1], [0, 1], [2]):
        slices = (
            (tf.IndexedSlices(tf.constant(g), tf.constant(rows), shape), x)
            for g, shape, x in (
                (values[:, 0], [V], vector),
                (values[:, :1], [V, 1], column),
            )
        )
        optimizer.apply_gradients(list(slices))
    np.testing.assert_allclose(vector, column[:, 0], rtol=1e-6)
    assert not np.allclose(vector, first()[:, 0])


def test_an_unused_row_stays_as_it_is() -> None:
    np.testing.assert_array_equal(trained(by_row(), SCATTERED)[[2, 4]], first()[[2, 4]])


LONG = [[1]] * 200  # of other rows: bias corrections are over, moments forgotten


def test_a_row_used_once_moves_as_far_as_by_adam_in_the_end() -> None:
    ours, adam = (
        trained(optimizer, steps(*LONG, [0], *after)) - first()
        for optimizer, after in ((by_row(), []), (keras_adam(), LONG))
    )
    np.testing.assert_allclose(ours[0], adam[0], rtol=0.02)


@pytest.mark.parametrize("period", [2, 5])
def test_a_row_used_regularly_follows_adam_from_use_to_use(period: int) -> None:
    visit: list[Sequence[int]] = [[0], *[[1]] * (period - 1)]
    ours, adam = (
        trained(make(), steps(*LONG, *visit * 9))
        - trained(make(), steps(*LONG, *visit))
        for make in (by_row, keras_adam)
    )
    np.testing.assert_allclose(ours[0], adam[0], rtol=0.02)


def test_dense_gradients_are_those_of_adam() -> None:
    x, y = tf.Variable(first()), tf.Variable(first())
    ours, adam = by_row(), keras_adam()
    for _, values in EVERY_ROW:
        ours.apply_gradients([(tf.constant(values[:V]), x)])
        adam.apply_gradients([(tf.constant(values[:V]), y)])
    np.testing.assert_allclose(x, y, 1e-5)


def checkpoint(optimizer: SparseAdam, x: tf.Variable) -> tf.train.Checkpoint:
    optimizer.build([x])
    return tf.train.Checkpoint(optimizer=optimizer, x=x)


@pytest.mark.parametrize("whole_below", [0, V + 1])
def test_a_restored_optimizer_goes_on_as_if_never_stopped(
    whole_below: int, tmp_path: Path
) -> None:
    def step(optimizer: SparseAdam, x: tf.Variable, taken: Step) -> None:
        slices = tf.IndexedSlices(tf.constant(taken[1]), tf.constant(taken[0]), [V, K])
        optimizer.apply_gradients([(slices, x)])

    before, x = by_row(whole_below=whole_below), tf.Variable(first())
    for taken in SCATTERED[:3]:
        step(before, x, taken)
    path = checkpoint(before, x).save(str(tmp_path / "at"))
    after, y = by_row(whole_below=whole_below), tf.Variable(tf.zeros([V, K]))
    checkpoint(after, y).restore(path).assert_existing_objects_matched()
    for taken in SCATTERED[3:]:
        step(before, x, taken)
        step(after, y, taken)
    np.testing.assert_array_equal(x, y)


def test_settings_survive_a_round_trip() -> None:
    ours = by_row(whole_below=11)
    again = SparseAdam.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()


def test_moves_that_would_grow_at_skipped_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="Received: beta_1=0.9, beta_2=0.81"):
        SparseAdam(RATE, 0.9, 0.81)


@pytest.mark.parametrize("make", [by_row, lambda: by_row(whole_below=V + 1)])
def test_it_runs_inside_a_graph(make: Callable[[], SparseAdam]) -> None:
    optimizer, x = make(), tf.Variable(first())
    optimizer.build([x])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(x, [0, 3, 3]) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])

    before = np.abs(x.numpy())
    for _ in range(3):
        step()
    assert (np.abs(x.numpy()) < before).all(axis=1).tolist()[:4:3] == [True, True]

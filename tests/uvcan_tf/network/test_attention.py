"""Equations (1) and (2) against the loops of `oracle`.

Shapes: B=2 users, C=3 videos, F=5 facets, K=7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests import oracle
from uvcan_tf.network.attention import (
    Attended,
    AttentionWeights,
    attend,
    masked_softmax,
    project,
    stacked_attend,
)

B, C, F, K = 2, 3, 5, 7


class Case(NamedTuple):
    """Random numbers large enough that attention is far from uniform."""

    X: oracle.Array
    mask: oracle.Array
    g: oracle.Array
    hops: list[oracle.Attention]


def case(hops: int = 1) -> Case:
    rng = np.random.default_rng(hops)
    mask = rng.random([B, C, F]) < 0.7
    mask[..., 1] = True
    attentions = [
        oracle.Attention(
            rng.normal(size=[K, K]),
            rng.normal(size=[K, K]),
            rng.normal(size=K),
            list(rng.normal(size=F)),
        )
        for _ in range(hops)
    ]
    X = rng.normal(size=[B, C, F, K]) * mask[..., None]
    return Case(X, mask, rng.normal(size=[B, C, K]), attentions)


def tensor(array: object) -> tf.Tensor:
    return tf.constant(np.asarray(array), tf.float32)


def weights_of(attention: oracle.Attention) -> AttentionWeights:
    """Facets are rows in the library, so its matrices stand on the right."""
    W_x, W_g, w_h, b = attention
    return AttentionWeights(tensor(W_x.T), tensor(W_g.T), tensor(w_h), tensor(b))


def run(case: Case) -> Attended:
    hops = [weights_of(hop) for hop in case.hops]
    X = tensor(case.X)
    projected = [project(X, hop.W_x) for hop in hops]
    return stacked_attend(X, projected, tf.constant(case.mask), tensor(case.g), hops)


def there(case: Case, b: int, c: int) -> list[int]:
    return [f for f in range(F) if case.mask[b, c, f]]


def only(attention: oracle.Attention, facets: list[int]) -> oracle.Attention:
    return attention._replace(b=[attention.b[f] for f in facets])


def places() -> list[tuple[int, int]]:
    return [(b, c) for b in range(B) for c in range(C)]


def test_equation_1_equals_the_oracle() -> None:
    example = case()
    X, mask = tensor(example.X), tf.constant(example.mask)
    weights = weights_of(example.hops[0])
    x, a = attend(X, project(X, weights.W_x), mask, tensor(example.g), weights)
    for b, c in places():
        facets = there(example, b, c)
        expected_x, expected_a = oracle.attend(
            [example.X[b, c, f] for f in facets],
            example.g[b, c],
            only(example.hops[0], facets),
        )
        np.testing.assert_allclose(x[b, c], expected_x, atol=1e-5)
        np.testing.assert_allclose(a.numpy()[b, c, facets], expected_a, atol=1e-5)


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_equation_2_equals_the_oracle(hops: int) -> None:
    example = case(hops)
    attended = run(example)
    for b, c in places():
        facets = there(example, b, c)
        expected_x, expected_a = oracle.stack(
            [example.X[b, c, f] for f in facets],
            example.g[b, c],
            [only(hop, facets) for hop in example.hops],
        )
        np.testing.assert_allclose(attended.x[b, c], expected_x, atol=1e-4)
        for a, expected in zip(attended.a, expected_a, strict=True):
            np.testing.assert_allclose(a.numpy()[b, c, facets], expected, atol=1e-4)


def test_no_guidance_is_guidance_by_zeros() -> None:
    example = case()
    X, mask = tensor(example.X), tf.constant(example.mask)
    weights = weights_of(example.hops[0])
    projected = project(X, weights.W_x)
    without = attend(X, projected, mask, None, weights)
    zeros = attend(X, projected, mask, tf.zeros([B, C, K]), weights)
    np.testing.assert_allclose(without[0], zeros[0], atol=1e-6)
    np.testing.assert_allclose(without[1], zeros[1], atol=1e-6)


def test_a_masked_facet_gets_no_weight() -> None:
    example = case(2)
    for a in run(example).a:
        assert (a.numpy()[~example.mask] == 0).all()
        np.testing.assert_allclose(a.numpy().sum(-1), 1, atol=1e-6)


def test_what_a_masked_facet_holds_changes_nothing() -> None:
    example = case(3)
    noise = np.where(example.mask[..., None], example.X, 1e3)
    clean, noisy = run(example), run(example._replace(X=noise))
    np.testing.assert_allclose(noisy.x, clean.x, atol=1e-5)


def test_a_row_without_facets_gives_zeros() -> None:
    example = case(2)
    mask = example.mask.copy()
    mask[1, 2] = False
    attended = run(example._replace(mask=mask))
    assert (attended.x.numpy()[1, 2] == 0).all()
    assert all((a.numpy()[1, 2] == 0).all() for a in attended.a)


def test_a_row_without_facets_passes_no_gradient_but_a_number() -> None:
    logits = tf.Variable([[1.0, -2.0, 3.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(masked_softmax(logits, tf.zeros([1, 3], tf.bool)))
    assert (tape.gradient(total, logits).numpy() == 0).all()


def test_large_logits_do_not_overflow() -> None:
    weights = masked_softmax(tf.constant([[1e4, 0.0, 2e4]]), tf.ones([1, 3], tf.bool))
    np.testing.assert_allclose(weights, [[0, 0, 1]])


def test_the_order_of_facets_does_not_matter_if_biases_move_along() -> None:
    example = case(2)
    order = [3, 0, 4, 2, 1]
    moved = Case(
        example.X[:, :, order],
        example.mask[:, :, order],
        example.g,
        [only(hop, order) for hop in example.hops],
    )
    straight, shuffled = run(example), run(moved)
    np.testing.assert_allclose(shuffled.x, straight.x, atol=1e-5)
    for a, b in zip(shuffled.a, straight.a, strict=True):
        np.testing.assert_allclose(a, b.numpy()[:, :, order], atol=1e-5)


def test_a_facet_with_a_larger_bias_gets_more_weight() -> None:
    example = case()
    everything = np.ones_like(example.mask)
    attention = example.hops[0]
    raised = attention._replace(b=[attention.b[0] + 2, *attention.b[1:]])
    before = run(example._replace(mask=everything)).a[0]
    after = run(example._replace(mask=everything, hops=[raised])).a[0]
    assert (after.numpy()[..., 0] > before.numpy()[..., 0]).all()

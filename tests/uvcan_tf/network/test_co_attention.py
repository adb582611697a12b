"""The whole network against the loops of `oracle`.

Shapes: B=2 users, C=3 videos, N=3 user facets, M=5 video facets, K=7.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from tests import oracle
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import CATEGORICAL, DENSE, MULTIVALUED, FacetSpec
from uvcan_tf.network.representations import Rated
from uvcan_tf.network.stacked_attention import StackedAttention

K = 7
USER = [
    FacetSpec("user", CATEGORICAL, 5),
    FacetSpec("gender", CATEGORICAL, 2),
    FacetSpec("place", CATEGORICAL, 3),
]
VIDEO = [
    FacetSpec("video", CATEGORICAL, 11),
    FacetSpec("author", CATEGORICAL, 3),
    FacetSpec("music", CATEGORICAL, 2),
    FacetSpec("tags", MULTIVALUED, 5),
    FacetSpec("look", DENSE, 3),
]
USERS = {"user": [[2], [6]], "gender": [[1], [0]], "place": [[3], [4]]}
VIDEOS = {
    "video": [[1, 5, 11], [7, 12, 3]],
    "author": [[1, 0, 3], [2, 4, 1]],
    "music": [[2, 1, 0], [0, 0, 3]],
    "tags": [
        [[1, 0, 0], [2, 5, 3], [0, 0, 0]],
        [[4, 4, 0], [0, 0, 0], [6, 1, 0]],
    ],
    "look": [
        [[0.6, 0.0, 0.8], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.6, -0.8], [1.0, 0.0, 0.0]],
    ],
}


def network(hops: int = 2, video_attention_only: bool = False) -> CoAttentionNetwork:
    built = CoAttentionNetwork(
        USER, VIDEO, K, hops, (11, 5, 3), video_attention_only, name="network"
    )
    built(tensors(USERS), tensors(VIDEOS))
    rng = np.random.default_rng(hops)
    built.set_weights([rng.normal(0, 0.7, w.shape) for w in built.weights])
    return built


def tensors(columns: dict[str, list]) -> dict[str, tf.Tensor]:
    return {
        name: tf.constant(c, tf.float32 if name == "look" else tf.int32)
        for name, c in columns.items()
    }


def by_name(layer: tf.keras.layers.Layer) -> dict[str, oracle.Array]:
    """A layer's weights by the last part of their name."""
    return {w.name.split("/")[-1].split(":")[0]: w.numpy() for w in layer.weights}


def attentions(layer: StackedAttention, there: list[int]) -> list[oracle.Attention]:
    """Facets are rows in the library, so its matrices are transposed."""
    found = by_name(layer)
    return [
        oracle.Attention(
            found[f"W_x_{hop}"].T,
            found.get(f"W_g_{hop}", np.zeros([K, K])).T,
            found[f"w_h_{hop}"],
            [found[f"b_{hop}"][facet] for facet in there],
        )
        for hop in range(1, layer.hops + 1)
    ]


def embed(
    layer: tf.keras.layers.Layer, facets: list[FacetSpec], columns: dict, place: tuple
) -> tuple[list[oracle.Array], list[int]]:
    """The vectors of the facets that are there, and their numbers."""
    tables = by_name(layer)
    vectors, there = [], []
    for number, facet in enumerate(facets):
        value = np.asarray(columns[facet.name])[place]
        table = tables[f"{facet.name}_embedding"]
        if not np.any(value):
            continue
        there.append(number)
        if facet.kind == DENSE:
            vectors.append(sum(part * row for part, row in zip(value, table)))  # noqa: B905  (a wrong length shows in the sum)
        elif facet.kind == MULTIVALUED:
            vectors.append(np.mean([table[v] for v in value if v], axis=0))
        else:
            vectors.append(table[value])
    return vectors, there


def mlp(layer: tf.keras.layers.Layer) -> list[tuple[oracle.Array, oracle.Array]]:
    """The layer keeps its first kernel in four blocks, one for each part of z."""
    v_u, v_v, h_u, h_v, bias, *rest = layer.get_weights()
    first = np.concatenate([v_u, v_v, h_u, h_v])
    kernels, biases = [first, *rest[::2]], [bias, *rest[1::2]]
    return [(kernel.T, b) for kernel, b in zip(kernels, biases, strict=True)]


def expected(
    net: CoAttentionNetwork,
    b: int,
    c: int,
    method: Callable[..., oracle.Rating] = oracle.uvcan,
) -> oracle.Rating:
    q_u, in_u = embed(net.user_embedding, USER, USERS, (b, 0))
    q_v, in_v = embed(net.video_embedding, VIDEO, VIDEOS, (b, c))
    weights = oracle.Weights(
        attentions(net.summary, in_u)[0],
        attentions(net.video_attention, in_v),
        [] if method is oracle.video_att else attentions(net.user_attention, in_u),
        mlp(net.rating),
    )
    return method(q_u, q_u[0], q_v, q_v[0], weights)


def assert_equal(rated: Rated, b: int, c: int, rating: oracle.Rating) -> None:
    np.testing.assert_allclose(rated.logits[b, c], rating.logit, rtol=1e-4, atol=1e-4)
    for found, wanted in (
        (rated.video_attention, rating.video_attention),
        (rated.user_attention, rating.user_attention),
    ):
        for a, expected_a in zip(found, wanted, strict=True):
            present = [x for x in a[b, c].numpy() if x > 0]
            np.testing.assert_allclose(present, expected_a, atol=1e-4)


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_every_pair_is_rated_as_the_oracle_rates_it(hops: int) -> None:
    net = network(hops)
    rated = net(tensors(USERS), tensors(VIDEOS))
    for b in range(2):
        for c in range(3):
            assert_equal(rated, b, c, expected(net, b, c))


def test_video_att_is_rated_as_the_oracle_rates_it() -> None:
    net = network(video_attention_only=True)
    rated = net(tensors(USERS), tensors(VIDEOS))
    for b in range(2):
        for c in range(3):
            assert_equal(rated, b, c, expected(net, b, c, oracle.video_att))


def test_video_att_has_no_user_attention() -> None:
    net = network(video_attention_only=True)
    assert net(tensors(USERS), tensors(VIDEOS)).user_attention == ()
    assert not [w.name for w in net.weights if "user_attention" in w.name]


def test_the_summary_of_a_user_is_attention_without_guidance() -> None:
    net = network()
    side = net.user_representation(tensors(USERS))
    for b in range(2):
        q_u, there = embed(net.user_embedding, USER, USERS, (b, 0))
        q_0, _ = oracle.attend(q_u, np.zeros(K), attentions(net.summary, there)[0])
        np.testing.assert_allclose(side.q[b, 0], q_0, atol=1e-5)


def test_one_catalogue_serves_all_users() -> None:
    net = network()
    catalogue = {name: c[:1] for name, c in tensors(VIDEOS).items()}
    shared = net(tensors(USERS), catalogue).logits
    for b in range(2):
        user = {name: c[b : b + 1] for name, c in tensors(USERS).items()}
        np.testing.assert_allclose(shared[b], net(user, catalogue).logits[0], atol=1e-5)


def test_padding_of_tags_changes_nothing() -> None:
    net = network()
    videos = tensors(VIDEOS)
    wider = {**videos, "tags": tf.pad(videos["tags"], [[0, 0], [0, 0], [0, 5]])}
    before, after = (net(tensors(USERS), v).logits for v in (videos, wider))
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_a_pair_of_which_nothing_is_known_still_has_a_rating() -> None:
    net = network()
    nobody = {name: tf.zeros_like(c) for name, c in tensors(USERS).items()}
    nothing = {name: tf.zeros_like(c) for name, c in tensors(VIDEOS).items()}
    rated = net(nobody, nothing)
    assert np.isfinite(rated.logits).all()
    assert all((a.numpy() == 0).all() for a in rated.video_attention)

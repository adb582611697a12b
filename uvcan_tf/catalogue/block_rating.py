"""One user against a block of videos: equations (1) to (4), the videos innermost.

The same mathematics as `attention.py` and `network.py`, laid out for whole catalogues:
every line is a matrix product or a pass over rows of C adjacent numbers, whatever
depends on the user alone or on the video alone is computed once, and what the user
attention finds is kept as weights of the user's N facets instead of as vectors.

Shapes: B users, C videos of a block, M facets of a video, N of a user, K factors, H
width of the first hidden layer, P factors of the prior, D of the history, G either K
or K + N.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from uvcan_tf.network.attention import AttentionWeights
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.facets import Facets
from uvcan_tf.network.products import linear
from uvcan_tf.network.representations import UserRepresentation


class VideoBlock(NamedTuple):
    """All of C videos that does not depend on the user."""

    X: tf.Tensor  # [M, K, C]
    projected: tuple[tf.Tensor, ...]  # W_x X of each hop, [M, K, C]
    bias: tuple[tf.Tensor, ...]  # b of each hop, lowest where missing, [M, C]
    hidden_part: tf.Tensor  # hᵛ's part of the first hidden layer, [H, C]
    prior: tuple[tf.Tensor, ...]  # y of the prior, [P, C], if there is one
    history: tuple[tf.Tensor, ...]  # [o; b] of the history, [D + 1, C], if it counts


class PreparedUser(NamedTuple):
    """All of a user that does not depend on the video; [B, ...] for several users."""

    guidance: tuple[tf.Tensor, ...]  # W_g q̂₀ of each video hop, [K, C=1]
    projected: tuple[tf.Tensor, ...]  # W_x X of each user hop, [N, K, C=1]
    bias: tuple[tf.Tensor, ...]  # b of each user hop, lowest where missing, [N, C=1]
    W_g: tuple[tf.Tensor, ...]  # of each user hop, for [v̂ᵛ; Σa], [K, G]
    W: tf.Tensor  # of the first hidden layer, for [v̂ᵛ; a], [H, G]
    hidden_part: tf.Tensor  # the rest of the first hidden layer, [H, C=1]
    prior: tuple[tf.Tensor, ...]  # x of the prior, [P], if there is one
    history: tuple[tf.Tensor, ...]  # [h; 1] of the history, [D + 1], if it counts


class BlockRating(tf.Module):
    """Rates blocks of videos as `network.rate` does, to rounding.

    Args:
      network: built; its weights are read at every call.
    """

    def __init__(self, network: CoAttentionNetwork) -> None:
        super().__init__()
        self._weights = list(network.weights)
        self._video = network.video_attention.hop_weights
        self._user: list[AttentionWeights] = []
        if not network.video_attention_only:
            self._user = network.user_attention.hop_weights
        self._rating = network.rating.weights_of()

    def block(
        self,
        facets: Facets,
        prior: tuple[tf.Tensor, ...],
        history: tuple[tf.Tensor, ...] = (),
    ) -> VideoBlock:
        """Facets [C, M, K], the prior's y and the history's [o; b], videos innermost.

        W_x X comes after the transposition: of all that a block holds, only the facets
        change their layout.
        """
        X = tf.transpose(facets.X, [1, 2, 0])  # [M, K, C]
        mask = tf.transpose(facets.mask)  # [M, C]
        W_x = tf.concat([hop.W_x for hop in self._video], axis=1)  # [K, hops * K]
        projected = tf.stack(
            [tf.matmul(W_x, X[i], transpose_a=True) for i in range(X.shape[0])]
        )  # [M, hops * K, C]
        return VideoBlock(
            X=X,
            projected=tuple(tf.split(projected, len(self._video), axis=1)),
            bias=tuple(_masked(hop.b[:, None], mask) for hop in self._video),
            hidden_part=tf.matmul(self._rating.h_v, X[0], transpose_a=True),
            prior=tuple(tf.transpose(y) for y in prior),
            history=tuple(tf.transpose(y) for y in history),
        )

    def prepared(self, user: UserRepresentation) -> PreparedUser:
        """[B, ...] of users [B, C=1, ...]."""
        X, mask = user.facets.X[:, 0], user.facets.mask[:, 0]  # [B, N, K], [B, N]
        q = user.q[:, 0]  # [B, K]
        hidden_part = user.hidden_part[:, 0] + self._rating.bias  # [B, H]
        if self._user:
            W = _joined(self._rating.v_v, linear(X, self._rating.v_u))
        else:
            W = _joined(self._rating.v_v, X[:, :0] @ self._rating.v_u)
            hidden_part += linear(q, self._rating.v_u)
        return PreparedUser(
            guidance=tuple(linear(q, hop.W_g)[..., None] for hop in self._video),
            projected=tuple(P[:, 0, ..., None] for P in user.projected),
            bias=tuple(_masked(hop.b, mask)[..., None] for hop in self._user),
            W_g=tuple(
                _joined(hop.W_g, linear(X if number else X[:, :0], hop.W_g))
                for number, hop in enumerate(self._user)
            ),
            W=W,
            hidden_part=hidden_part[..., None],
            prior=tuple(x[:, 0] for x in user.prior),
            history=tuple(x[:, 0] for x in user.history),
        )

    def user_factors(self, user: UserRepresentation) -> tf.Tensor:
        """[B, P + D + 1] of users [B, C=1, ...], as far as there is a product.

        Their product with a video's [y; o; b] is what `logits` adds to the MLP.
        """
        return tf.concat([*user.prior, *user.history], axis=-1)[:, 0]

    def logits(self, user: PreparedUser, video: VideoBlock) -> tf.Tensor:
        """ŷ [C] of one user with the block."""
        v, q = tf.constant(0.0), None
        for hop, P, g, b in zip(
            self._video, video.projected, user.guidance, video.bias, strict=True
        ):
            if q is not None:
                g = g + tf.matmul(hop.W_g, q, transpose_a=True)  # [K, C]
            a = _attention(tf.tanh(P + g), hop.w_h, b)  # [M, C]
            v = tf.add_n([a[i] * video.X[i] for i in range(a.shape[0])])  # [K, C]
            q = v if q is None else v + q
        z, total = v, None
        for hop, P, b, W_g in zip(
            self._user, user.projected, user.bias, user.W_g, strict=True
        ):
            if total is not None:
                z = tf.concat([v, total], axis=0)  # [K + N, C]
            a = _attention(tf.tanh(P + W_g @ z), hop.w_h, b)  # [N, C]
            total = a if total is None else a + total
        if self._user:
            z = tf.concat([v, a], axis=0)
        x = user.W @ z + video.hidden_part + user.hidden_part  # [H, C]
        added: tf.Tensor | float = 0.0
        of_user, of_video = user.prior + user.history, video.prior + video.history
        for u, f in zip(of_user, of_video, strict=True):
            added += tf.linalg.matvec(f, u, transpose_a=True)  # [C]
        x = tf.nn.relu(x)
        *hidden, (W, b) = self._rating.rest
        for W_i, b_i in hidden:
            x = tf.nn.relu(tf.matmul(W_i, x, transpose_a=True) + b_i[:, None])
        return (tf.matmul(W, x, transpose_a=True) + b[:, None])[0] + added


def _attention(H: tf.Tensor, w_h: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """softmax(w_hᵀ H + b) over the facets: H [F, K, C] -> a [F, C]."""
    F, K, _ = H.shape
    rows = tf.reshape(tf.eye(F)[:, :, None] * w_h, [F, F * K])
    energy = rows @ tf.reshape(H, [F * K, -1]) + b  # [F, C]
    weights = tf.exp(energy - tf.reduce_max(energy, axis=0))
    return weights / tf.reduce_sum(weights, axis=0)


def _masked(b: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """b where a facet is there; so low elsewhere that its weight is 0.

    Where all are missing, the weights differ from the zeros of `masked_softmax`, and
    what they weigh are zeros.
    """
    return tf.where(mask, b, -1e30)


def _joined(W: tf.Tensor, of_facets: tf.Tensor) -> tf.Tensor:
    """[K, J] and [B, N, J] -> [B, J, K + N]."""
    shared = tf.repeat(tf.transpose(W)[None], tf.shape(of_facets)[0], axis=0)
    return tf.concat([shared, tf.transpose(of_facets, [0, 2, 1])], axis=2)

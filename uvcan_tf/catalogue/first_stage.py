"""The first of two stages: the videos of the greatest product with a user.

The product u · f, of the prior, the history or both, is what a rating is made of, but
for what the network adds. A video's f is the same for every user, so that one product
of matrices compares a user with all videos.

Shapes: B users, U of them in the tables, V videos, W of them with padding, D factors, P
directions, N found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.catalogue.greatest import BLOCK, greatest
from uvcan_tf.network.representations import UserRepresentation

_Matrix = npt.NDArray[np.float32]

_DIRECTIONS: Final = 16  # each more is 4 MB to read, of a million videos
_WIDENED: Final = 2  # times the candidates are compared in all directions
_ROWS_AT_ONCE: Final = 65_536
_LEAST: Final = 1e-4  # of the mean square, in a direction that no known user has


class FirstStage(tf.Module):
    """Finds the N videos of the greatest product.

    All videos are compared in the P directions in which the products of the known users
    differ most, and the best 2 N of these in all D. Where D is at most P, all of them
    count from the start.

    Args:
      catalogue: of a model with a product.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._videos = V = catalogue.videos
        self._user_factors = catalogue.user_factors
        self._video_factors = catalogue.video_factors

        def of_users(rows: tf.Tensor) -> tf.Tensor:
            return self._user_factors(catalogue.user_representation(rows[:, None]))

        u, f = _parts(of_users, catalogue.users), _parts(self._video_factors, V)
        self._exact = f.shape[1] <= _DIRECTIONS
        maps = (np.eye(f.shape[1]),) * 2 if self._exact else directions(u, f)
        of_user, of_video = (m[:, :_DIRECTIONS].astype(np.float32) for m in maps)
        compared = np.zeros([of_video.shape[1] + 1, -(-V // BLOCK) * BLOCK], np.float32)
        compared[:-1, :V] = (f @ of_video).T
        compared[-1, V:] = tf.float32.min  # nothing is there
        self._of_user = tf.Variable(of_user, trainable=False)  # [D, P]
        self._compared = tf.Variable(compared, trainable=False)  # [P + 1, W]

    def products(self, user: UserRepresentation) -> tf.Tensor:
        """About u · f, [B, W], of users [B, C=1, ...]; lowest where nothing is."""
        u = self._user_factors(user) @ self._of_user  # [B, P]
        return tf.pad(u, [[0, 0], [0, 1]], constant_values=1.0) @ self._compared

    def best(
        self, user: UserRepresentation, products: tf.Tensor, counts: tf.Tensor
    ) -> tf.Tensor:
        """Video rows int32 [B, N], the greatest product first.

        Args:
          user: [B, C=1, ...].
          products: of these users, lowest for what is not to be found.
          counts: int32 [B], how many to find for each; N is the greatest, but at most
            W. Where fewer are found, the last rows are V + 1, the unknown video.
        """
        widened = 1 if self._exact else _WIDENED
        count = tf.reduce_max(tf.concat([counts, [0]], axis=0))
        wide = tf.minimum(widened * count, self._compared.shape[1])
        places = greatest(products, wide)  # [B, 2 N]
        there = tf.gather(products, places, batch_dims=1) > products.dtype.min
        there &= tf.range(wide) < widened * counts[:, None]
        rows = tf.where(there, places + 1, self._videos + 1)
        if self._exact:
            return rows
        f = self._video_factors(rows)  # [B, 2 N, D]
        product = tf.linalg.matvec(f, self._user_factors(user))
        product = tf.where(there, product, product.dtype.min)
        order = tf.math.top_k(product, tf.minimum(count, wide)).indices  # [B, N]
        best = tf.gather(rows, order, batch_dims=1)
        found = tf.range(tf.shape(best)[1]) < counts[:, None]
        return tf.where(found, best, self._videos + 1)


def directions(u: _Matrix, f: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Maps of users and of videos, [D, D], to where the first directions tell most.

        u · f = (Eᵀ A⁻¹ u) · (Eᵀ A f)

    with A² the mean of u uᵀ, and E the eigenvectors of A Cov(f) A, the greatest first.
    Cut after P directions, it is the truncated singular value decomposition of all
    products but for a constant of each user: no other P directions come closer.

    Args:
      u, f: [U, D] and [V, D].
    """
    D = u.shape[1]
    square = (u.T @ u).astype(np.float64) / max(1, len(u))
    square += np.eye(D) * max(np.trace(square) / D * _LEAST, 1e-12)
    values, Q = np.linalg.eigh(square)
    A, inverse = (Q * values**power @ Q.T for power in (0.5, -0.5))
    spread = f - f.mean(axis=0)
    E = np.linalg.eigh(A @ (spread.T @ spread) @ A)[1][:, ::-1]
    return inverse @ E, A @ E


def _parts(factors: Callable[[tf.Tensor], tf.Tensor], size: int) -> _Matrix:
    """[size, D] of all known rows, a part after the other."""
    starts = range(1, size + 1, _ROWS_AT_ONCE)
    parts = [tf.range(s, min(s + _ROWS_AT_ONCE, size + 1)) for s in starts]
    return np.concatenate([factors(rows).numpy() for rows in parts])

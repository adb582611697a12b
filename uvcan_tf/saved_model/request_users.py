"""The user representation of a request: from the tables, or by given attributes.

Shapes: B users, L values of a multivalued attribute or numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.data.encoding import Encoded, Raw, dtype_of, padded, raw_spec
from uvcan_tf.factorization.attribute_means import AttributeMeans, with_cold_start
from uvcan_tf.features import (
    LIKED_VIDEO_IDS,
    LIKED_VIDEOS,
    SKIPPED_VIDEO_IDS,
    USER_ID,
    Dense,
    Feature,
    Features,
)
from uvcan_tf.network.co_attention import CoAttentionNetwork
from uvcan_tf.network.representations import UserRepresentation
from uvcan_tf.saved_model.optional_inputs import for_each
from uvcan_tf.saved_model.request_histories import Given, RequestHistories

Transform = Callable[[Raw], Encoded]
Attributes = Mapping[str, tf.Tensor]


def attribute_specs(features: Features) -> dict[str, tf.TensorSpec]:
    """Optional inputs: every user attribute, by its feature's name."""
    return {
        feature.name: tf.TensorSpec(_shape(feature), dtype_of(feature), feature.name)
        for feature in features.user
    }


def history_specs(users: Users) -> dict[str, tf.TensorSpec]:
    """Optional inputs of what a user further liked and skipped, where these count."""
    if users.histories is None:
        return {}
    skipped = [SKIPPED_VIDEO_IDS] * users.histories.knows_skipped
    return {
        name: tf.TensorSpec([None, None], tf.string, name=name)
        for name in [LIKED_VIDEO_IDS, *skipped]
    }


class Users(tf.Module):
    """User representations of known and of cold-start users.

    An id of the tables speaks for itself. For any other one the given attributes
    count; without them it is the shared unknown user, whom popularity serves.

    Args:
      features: the declaration.
      catalogue: representations of the known users.
      network: gives the representations of the others.
      transform: of raw features.
      means: of the prior's x by attributes, where those count.
      histories: of the users, where those count.
    """

    def __init__(
        self,
        features: Features,
        catalogue: Catalogue,
        network: CoAttentionNetwork,
        transform: Transform,
        means: AttributeMeans | None,
        histories: RequestHistories | None = None,
    ) -> None:
        super().__init__()
        self._features = features
        self._catalogue = catalogue
        self._of_columns = network.user_representation
        self._transform = transform
        self._means = means
        self.histories = histories

    def have_attributes(self, rows: tf.Tensor, attributes: Attributes) -> tf.Tensor:
        """Whether any attribute is given and any of the rows [B] is unknown."""
        given = [tf.reduce_any(_told(values)) for values in attributes.values()]
        return tf.reduce_any(given) & tf.reduce_any(rows > self._catalogue.users)

    def representation(
        self, rows: tf.Tensor, attributes: Attributes, given: Given | None = None
    ) -> UserRepresentation:
        """Representations [B, C=1, ...] of user rows [B].

        With what a request further tells of them, where the model has a history.
        """
        user = self._representation(rows, attributes)
        histories = self.histories
        if histories is None or given is None:
            return user
        return tf.cond(
            histories.any_known(given),
            lambda: histories.with_given(user, rows, given),
            lambda: user,
        )

    def _representation(
        self, rows: tf.Tensor, attributes: Attributes
    ) -> UserRepresentation:
        if not attributes:
            return self._catalogue.user_representation(rows[:, None])
        return tf.cond(
            self.have_attributes(rows, attributes),
            lambda: self.with_attributes(rows, attributes),
            lambda: self._catalogue.user_representation(rows[:, None]),
        )

    def with_attributes(
        self, rows: tf.Tensor, attributes: Attributes
    ) -> UserRepresentation:
        """As `representation`, where an attribute is given."""
        known = self._catalogue.user_representation(rows[:, None])
        if not attributes:
            return known
        columns = self._columns(tf.size(rows), attributes)
        unknown = rows > self._catalogue.users  # [B]
        given = self._of_columns(columns)._replace(
            prior=with_cold_start(known.prior, unknown[:, None], self._means, columns)
        )

        def choose(ours: tf.Tensor, theirs: tf.Tensor) -> tf.Tensor:
            shape = [-1, *[1] * (len(ours.shape) - 1)]
            return tf.where(tf.reshape(unknown, shape), theirs, ours)

        return tf.nest.map_structure(choose, known, given)

    def _columns(self, batch: tf.Tensor, attributes: Attributes) -> Attributes:
        """Encoded features [B, C=1, ...] of users of whom only attributes are known."""
        raw = {
            name: _nothing(batch, spec.dtype)
            for name, spec in raw_spec(self._features).items()
        }  # whole rows: Transform's graph checks even what nobody asks for
        for name, given in attributes.items():
            raw[name] = _sparse(for_each(_listed(given), batch))  # [B, L]
        encoded = self._transform(raw)
        columns = {
            feature.name: padded(encoded[feature.name])[:, None]
            for feature in self._features.user
        }
        unknown = tf.fill([batch, 1], self._catalogue.users + 1)
        if self.histories is not None:
            columns[LIKED_VIDEOS] = self.histories.nothing(batch)
        return {**columns, USER_ID: unknown}


def _shape(feature: Feature) -> list[int | None] | None:
    """[B], of a vector [B, L], or of several values either [B, L] or [B], one each."""
    if isinstance(feature, Dense):
        return [None, feature.length]
    return None if feature.multivalued else [None]


def _told(values: tf.Tensor) -> tf.Tensor:
    """Where something is told: no empty name, and a number."""
    return ~tf.math.is_nan(values) if values.dtype.is_floating else values != ""


def _sparse(given: tf.Tensor) -> tf.SparseTensor:
    """What is told of [B, L]."""
    places = tf.where(_told(given))
    shape = tf.shape(given, tf.int64)
    return tf.SparseTensor(places, tf.gather_nd(given, places), shape)


def _listed(given: tf.Tensor) -> tf.Tensor:
    """[B] or [B, L] as [B, L]."""
    if given.shape.rank == 1:
        return given[:, None]
    rows = tf.cond(
        tf.equal(tf.rank(given), 1), lambda: tf.reshape(given, [-1, 1]), lambda: given
    )
    return tf.ensure_shape(rows, [None, None])


def _nothing(batch: tf.Tensor, dtype: tf.DType) -> tf.SparseTensor:
    """A feature that every row is without."""
    shape = tf.cast(tf.stack([batch, 0]), tf.int64)
    nowhere = tf.zeros([0, 2], tf.int64)
    return tf.SparseTensor(nowhere, tf.zeros([0], dtype), shape)

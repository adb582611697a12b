"""Columns of rows, looked up one by one in the encoded tables.

Shapes: B pairs, C candidate videos.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests import worlds
from uvcan_tf.config import IALSSettings
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.features import PRIOR, USER_ID, VIDEO_ID
from uvcan_tf.model.batches import Batch
from uvcan_tf.model.row_tables import RowTables, facet_specs, identity_column
from uvcan_tf.network.facets import DistinctVectors

DATASET = worlds.small()
USERS, VIDEOS = [2, 5, 2], [[1, 4], [4, 11], [3, 1]]


def batch(unknown_user: bool = False) -> Batch:
    users, videos = tf.constant(USERS), tf.constant(VIDEOS)
    known = users[:, None]
    if unknown_user:
        known = tf.fill([3, 1], DATASET.users.unknown)
    return Batch(users, videos, known, videos, tf.zeros([3, 2]))


def test_a_row_has_what_the_encoded_table_holds() -> None:
    tables = RowTables(DATASET)
    found = tables.users(tf.constant(USERS)) | tables.videos(tf.constant(VIDEOS))
    for side, rows in ((DATASET.users, USERS), (DATASET.videos, VIDEOS)):
        for name, column in side.columns.items():
            expected = [column[row] for row in np.ravel(rows)]
            got = found[name].numpy().reshape(np.shape(expected))
            np.testing.assert_array_equal(got, expected, err_msg=name)


def test_a_row_without_training_pairs_has_the_unknown_identity() -> None:
    trained = np.array([False, True, False, True, False])  # padding, 1 to 3, unknown
    assert identity_column(trained).tolist() == [4, 1, 4, 3, 4]


def test_a_dropped_id_hides_the_identity_and_nothing_else() -> None:
    tables = RowTables(DATASET)
    users, videos = tables.of_batch(batch(unknown_user=True))
    assert (users[USER_ID].numpy() == DATASET.users.unknown).all()
    genders = DATASET.users.columns["gender"][USERS]
    np.testing.assert_array_equal(users["gender"].numpy()[:, 0], genders)
    trained = DATASET.trained_videos[np.array(VIDEOS)]
    expected = np.where(trained, VIDEOS, DATASET.videos.unknown)
    np.testing.assert_array_equal(videos[VIDEO_ID], expected)


def test_training_sees_nothing_of_the_prior() -> None:
    prior = Prior(DATASET, IALSSettings(factors=3))
    tables = RowTables(DATASET, prior)
    assert all(PRIOR not in columns for columns in tables.of_batch(batch()))
    rows = tables.users(tf.constant(USERS))[PRIOR].numpy()
    np.testing.assert_array_equal(rows, prior.users.numpy()[USERS])


def test_distinct_vectors_put_together_are_the_vectors_of_every_pair() -> None:
    whole = RowTables(DATASET).of_batch(batch())[1]["look"]
    distinct = RowTables(DATASET, distinct_vectors=True).of_batch(batch())[1]["look"]
    assert isinstance(distinct, DistinctVectors)
    assert len(distinct.values) == len(np.unique(VIDEOS))
    np.testing.assert_array_equal(tf.gather(distinct.values, distinct.position), whole)


def test_identity_is_the_first_facet_of_users_and_videos() -> None:
    user, video = facet_specs(DATASET)
    assert [spec.name for spec in user] == [USER_ID, "gender", "place"]
    assert [spec.name for spec in video] == [VIDEO_ID, "author", "tags", "look"]
    assert user[0].size == DATASET.users.size
    assert video[3].size == 3

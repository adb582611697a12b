"""What hashed user ids leave as it is, and what they do not: the rows held out."""

from __future__ import annotations

import dataclasses
import subprocess

import numpy as np
import pyarrow as pa
import pytest

from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.data.hash_ids import with_hashed_ids
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.tables import Tables
from uvcan_tf.evaluation_settings import EvaluationConfig
from uvcan_tf.hashed_ids import hashed

KEY = b"0123456789abcdef"


@pytest.fixture
def tables() -> Tables:
    """Likes of the small world, each at a time of its own."""
    likes = [(user, f"v{number}") for user, row in worlds.LIKES for number in row]
    made = worlds.tables(worlds.FEATURES, worlds.USERS, worlds.VIDEOS, likes)
    times = pa.array(np.random.default_rng(3).permutation(len(likes)), pa.int64())
    pairs = made.interactions.append_column(names.TIMESTAMP, times)
    return dataclasses.replace(made, interactions=pairs)


def held_out(tables: Tables, config: EvaluationConfig) -> list[bool]:
    return list(split_interactions(tables.interactions, config).test)


@pytest.mark.parametrize("split", ["time", "last"])
def test_a_split_in_time_holds_out_the_same_rows(tables: Tables, split: str) -> None:
    config = EvaluationConfig(split=split)
    assert held_out(with_hashed_ids(tables, KEY), config) == held_out(tables, config)


def test_a_split_at_random_holds_out_other_rows_but_as_many_of_each_user(
    tables: Tables,
) -> None:
    config = EvaluationConfig(held_out_fraction=0.4)
    plain, keyed = (held_out(t, config) for t in (tables, with_hashed_ids(tables, KEY)))
    assert plain != keyed
    users = np.asarray(tables.interactions[names.USER_ID])
    assert sorted(users[plain]) == sorted(users[keyed])


def test_openssl_prints_the_same_hash() -> None:
    command = ["openssl", "dgst", "-sha256", "-hmac", KEY.decode()]
    told = subprocess.run(command, input=b"u1", capture_output=True, check=True)
    assert told.stdout.split()[-1][:32].decode() == hashed("u1", KEY)

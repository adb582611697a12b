"""How a session is asked to run."""

from __future__ import annotations

import tensorflow as tf

from serving.server.savedmodel import run_options


def test_a_run_in_the_callers_thread_has_no_watch() -> None:
    found = tf.compat.v1.RunOptions.FromString(run_options(1.5, in_caller=True))
    assert found == tf.compat.v1.RunOptions(inter_op_thread_pool=-1)


def test_another_run_ends_with_its_deadline() -> None:
    found = tf.compat.v1.RunOptions.FromString(run_options(1.5, in_caller=False))
    assert found == tf.compat.v1.RunOptions(timeout_in_ms=1500)
    assert run_options(None, in_caller=False) == b""

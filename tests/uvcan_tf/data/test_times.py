"""A moment is one number, whatever wrote it."""

from __future__ import annotations

import pyarrow as pa

from uvcan_tf.data.times import timestamp


def test_times_of_any_whole_type_become_int64() -> None:
    for column in (
        pa.array(["-5", None]),
        pa.array([-5, None]),
        pa.array([-5.0, None]),
    ):
        times = timestamp("x", column)
        assert (times.type, times.to_pylist()) == (pa.int64(), [-5, None])

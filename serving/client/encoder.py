"""Raw rows to `tf.Example`: what `serving_default` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from serving.client.errors import InvalidRequest
from serving.wire.protos import example_pb2
from uvcan_tf.features import USER_ID, VIDEO_ID, Categorical, Dense, Features

Row = Mapping[str, Any]


def encode(rows: Iterable[Row], features: Features) -> list[bytes]:
    """Serialized `tf.Example`s of raw rows; absent and None values stay missing.

    >>> from uvcan_tf.features import PAPER
    >>> len(encode([{"user_id": "u1", "video_id": "v1", "tags": ["cat"]}], PAPER))
    1
    """
    identity = (Categorical(USER_ID), Categorical(VIDEO_ID))
    known = {f.column: f for f in (*identity, *features.user, *features.video)}
    return [_encode_row(index, row, known) for index, row in enumerate(rows)]


def _encode_row(
    index: int, row: Row, known: Mapping[str, Categorical | Dense]
) -> bytes:
    example = example_pb2.Example()
    for name, value in row.items():
        if name not in known:
            raise InvalidRequest(
                f"Row {index}: '{name}' is not a feature. Known: {', '.join(known)}."
            )
        if value is None:
            continue
        feature = known[name]
        target = example.features.feature[feature.name]
        if isinstance(feature, Dense):
            target.float_list.value.extend(_vector(index, feature, value))
        else:
            target.bytes_list.value.extend(_names(index, feature, value))
    return bytes(example.SerializeToString(deterministic=True))


def _vector(index: int, feature: Dense, value: Any) -> list[float]:
    try:
        vector = [float(number) for number in value]
    except (TypeError, ValueError):
        vector = []
    if len(vector) != feature.length:
        raise InvalidRequest(
            f"Row {index}: '{feature.column}' should be {feature.length} numbers. "
            f"Received: {_shorten(value)}."
        )
    return vector


def _names(index: int, feature: Categorical, value: Any) -> list[bytes]:
    values: Sequence[Any] = [value]
    if feature.multivalued and isinstance(value, (list, tuple, set, frozenset)):
        values = sorted(value) if isinstance(value, (set, frozenset)) else value
    for name in values:
        if not isinstance(name, str):
            expected = "a string or strings" if feature.multivalued else "a string"
            raise InvalidRequest(
                f"Row {index}: '{feature.column}' should be {expected}. "
                f"Received: {_shorten(value)}."
            )
    return [name.encode() for name in values]


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

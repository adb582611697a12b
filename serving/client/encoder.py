"""Raw rows to `tf.Example`: what `serving_default` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from serving.client.arguments import number, shortened
from serving.client.errors import InvalidRequest
from serving.wire.protos import example_pb2
from uvcan_tf.features import (
    USER_ID,
    VIDEO_ID,
    Categorical,
    Dense,
    Feature,
    Features,
    Numeric,
)

Row = Mapping[str, Any]


def encode(rows: Iterable[Row], features: Features) -> list[bytes]:
    """Serialized `tf.Example`s of raw rows; absent and None values stay missing.

    >>> from uvcan_tf.features import PAPER
    >>> len(encode([{"user_id": "u1", "video_id": "v1", "tags": ["cat"]}], PAPER))
    1
    """
    identity = (Categorical(USER_ID), Categorical(VIDEO_ID))
    known: dict[str, Feature] = {
        f.column: f for f in (*identity, *features.user, *features.video)
    }
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        raise InvalidRequest(
            f"`rows` should be a list of rows. Received: {shortened(rows)}."
        )
    return [_encode_row(index, row, known) for index, row in enumerate(rows)]


def _encode_row(index: int, row: Row, known: Mapping[str, Feature]) -> bytes:
    if not isinstance(row, Mapping):
        raise InvalidRequest(
            f"Row {index}: a row should be a mapping of columns to values. "
            f"Received: {shortened(row)}."
        )
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
        elif isinstance(feature, Numeric):
            target.float_list.value.append(_number(index, feature, value))
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
            f"Received: {shortened(value)}."
        )
    return vector


def _number(index: int, feature: Numeric, value: Any) -> float:
    try:
        return number(feature.column, value)
    except InvalidRequest as error:
        raise InvalidRequest(f"Row {index}: {error}") from None


def _names(index: int, feature: Categorical, value: Any) -> list[bytes]:
    values: Iterable[Any] = [value]
    if feature.multivalued and isinstance(value, (set, frozenset)):
        values = sorted(value, key=str)
    elif feature.multivalued and isinstance(value, (list, tuple, np.ndarray)):
        values = np.ravel(value) if isinstance(value, np.ndarray) else value
    return [_name(index, feature, name) for name in values]


def _name(index: int, feature: Categorical, name: Any) -> bytes:
    try:
        if isinstance(name, str):
            return name.encode()
    except UnicodeEncodeError:
        pass  # a lone surrogate
    expected = "a string or strings" if feature.multivalued else "a string"
    raise InvalidRequest(
        f"Row {index}: '{feature.column}' should be {expected} that UTF-8 can write. "
        f"Received: {shortened(name)}."
    )

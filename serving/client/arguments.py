"""What callers may give: checked before anything is sent, refused by one family."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from serving.client.errors import InvalidRequest

Attributes: TypeAlias = Mapping[str, str | float | Iterable[str] | Iterable[float]]

_SHOWN = 60


def text(name: str, value: object) -> str:
    """A non-empty string that UTF-8 can carry."""
    if not isinstance(value, str) or not value:
        raise _wrong(name, "a non-empty string", value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _wrong(name, "text that UTF-8 can carry", value) from None
    return value


def texts(name: str, values: object) -> list[str]:
    """Non-empty strings out of a list, an array, a set or a generator."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise _wrong(name, "a list of strings", values)
    if isinstance(values, Mapping) or getattr(values, "ndim", 1) != 1:
        raise _wrong(name, "a list of strings", values)
    return [text(name, value) for value in values]


def count(name: str, value: object) -> int:
    """A whole number from 1 on, of Python or NumPy."""
    return _whole(name, value, 1, 2**31 - 1, "a positive int")


def number(name: str, value: object) -> float:
    """A finite number of Python or NumPy."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value):  # type: ignore[arg-type]
        raise _wrong(name, "a finite number", value)
    return float(value)  # type: ignore[arg-type]


def attributes(values: object) -> dict[str, str | float | list[str] | list[float]]:
    """A user's attributes: a name or number each, several names, or a vector."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise _wrong("attributes", "a mapping of names to values", values)
    return {
        text("attributes", name): _attribute(f"attributes[{name!r}]", value)
        for name, value in values.items()
    }


def _attribute(name: str, value: object) -> str | float | list[str] | list[float]:
    if isinstance(value, str):
        return text(name, value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return number(name, value)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
        several = list(value)
        if several and isinstance(several[0], numbers.Real):
            return [number(name, one) for one in several]
        value = several if getattr(value, "ndim", 1) == 1 else value
    return texts(name, value)


def seconds(name: str, value: object) -> float:
    """A positive number of seconds."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0 < value < float("inf"):  # type: ignore[operator]
        raise _wrong(name, "a positive number of seconds", value)
    return float(value)  # type: ignore[arg-type]


def retries(value: object) -> int:
    """A whole number of further attempts that gRPC will make."""
    expected = "an int from 0 to 4, gRPC's five attempts"
    return _whole("retries", value, 0, 4, expected)


def _whole(name: str, value: object, low: int, high: int, expected: str) -> int:
    """A whole number in a range, of Python or NumPy."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:  # type: ignore[operator]
        raise _wrong(name, expected, value)
    return int(value)  # type: ignore[call-overload, no-any-return]


def _wrong(name: str, expected: str, value: Any) -> InvalidRequest:
    label = name.partition("[")[0]
    return InvalidRequest(
        f"`{name}` should be {expected}. Received: {label}={shortened(value)}."
    )


def shortened(value: object) -> str:
    """How a message shows a value."""
    shown = ascii(value) if isinstance(value, str) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."

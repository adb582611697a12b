"""Checks of single settings; each raises one sentence.

A name is the whole path of a setting, `training.epochs`; the message ends with its
last part and the value that was received.
"""

from __future__ import annotations

from uvcan_tf.errors import ConfigError

__all__ = [
    "require_boolean",
    "require_choice",
    "require_count",
    "require_counts",
    "require_first_and_last",
    "require_not_negative",
    "require_number",
    "require_positive",
    "require_seed",
]


def require_count(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is a positive int."""
    if not _is_int(value) or value < 1:  # type: ignore[operator]
        raise _wrong(name, "a positive int", value)


def require_counts(name: str, values: object) -> None:
    """Raises `ConfigError` unless the setting is a tuple of positive ints."""
    if not isinstance(values, tuple):
        raise _wrong(name, "a list of positive ints", values)
    for value in values:
        require_count(name, value)


def require_first_and_last(name: str, values: object) -> None:
    """Raises `ConfigError` unless it is empty, or two positive ints in their order."""
    require_counts(name, values)
    assert isinstance(values, tuple)
    if values and not (len(values) == 2 and values[0] <= values[1]):
        raise _wrong(name, "empty, or the first and the last of them", values)


def require_number(name: str, value: object, low: float, high: float) -> None:
    """Raises `ConfigError` unless the setting is a number from `low` to `high`."""
    if not _is_number(value) or not low <= value <= high:  # type: ignore[operator]
        raise _wrong(name, f"a number from {low:g} to {high:g}", value)


def require_positive(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is a finite number above 0."""
    if not _is_number(value) or not 0 < value < float("inf"):  # type: ignore[operator]
        raise _wrong(name, "a positive number", value)


def require_not_negative(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is a finite number of at least 0."""
    if not _is_number(value) or not 0 <= value < float("inf"):  # type: ignore[operator]
        raise _wrong(name, "a number of at least 0", value)


def require_boolean(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is true or false."""
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raises `ConfigError` unless the setting is one of the choices."""
    if value not in choices:
        raise _wrong(name, f"one of {', '.join(choices)}", value)


def require_seed(name: str, value: object) -> None:
    """Raises `ConfigError` unless the setting is an int from 0 to 2³¹ - 1."""
    if not _is_int(value) or not 0 <= value < 2**31:  # type: ignore[operator]
        raise _wrong(name, f"an int from 0 to {2**31 - 1}", value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wrong(name: str, expected: str, value: object) -> ConfigError:
    last = name.rpartition(".")[2]
    return ConfigError(f"`{name}` should be {expected}. Received: {last}={value!r}.")

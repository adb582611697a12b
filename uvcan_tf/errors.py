"""The errors of the library: one family, each message one sentence.

    UvcanError
    ├── DeclarationError   a `features.json`, or a declaration made in Python
    ├── ConfigError        a setting of a config or a command
    ├── DataError          a table that cannot be used
    └── TrainingError      data and settings that cannot be trained together

A message names the thing, what was expected, what was received, and what to do.
Standard library only, as `features` is.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "DeclarationError",
    "TrainingError",
    "UvcanError",
]


class UvcanError(ValueError):
    """Any mistake that the library finds in what it is given.

    >>> from uvcan_tf import Dense
    >>> try:
    ...     Dense("visual", 0)
    ... except UvcanError as error:
    ...     print(error)
    Dense feature 'visual': `length` should be a positive int. Received: length=0.
    """


class DeclarationError(UvcanError):
    """A feature declaration that cannot be used; the message says what to change."""


class ConfigError(UvcanError):
    """A setting that cannot be used; the message names it and what was expected."""


class DataError(UvcanError):
    """A table that cannot be used; one sentence: where, expected, received, cure."""


class TrainingError(UvcanError):
    """Data and settings that cannot be trained or evaluated together."""

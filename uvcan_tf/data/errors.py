"""The one error of reading, checking and writing tables."""

from __future__ import annotations

__all__ = ["DataError"]


class DataError(ValueError):
    """A table that cannot be used; one sentence: where, expected, received, cure."""

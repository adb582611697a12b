"""What stopped a run, as one sentence for its user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uvcan_tf.errors import TrainingError, UvcanError

#: Errors whose text says what to do; of others the log has the whole story.
_OURS: Final = (UvcanError, TrainingError)

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
#: How TensorFlow, Beam and SQLite put it.
_FULL_IN_WORDS: Final = ("No space left on device", "disk is full", "quota exceeded")


def sentence(error: BaseException, root: Path, log: Path) -> str:
    """What happened and what to do.

    Args:
      error: what the pipeline raised.
      root: what it wrote to.
      log: where the traceback is.
    """
    if any(_is_full(cause) for cause in _chain(error)):
        return (
            f"The disk that holds {root} is full. Make room and run the same command "
            "again: what was finished is kept."
        )
    if isinstance(error, _OURS):
        return str(error)
    first = "".join(str(error).strip().splitlines()[:1])
    return f"{type(error).__name__}: {first} The whole story is in {log}."


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error) for words in _FULL_IN_WORDS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

"""Whatever stops a run becomes one sentence."""

import errno
from pathlib import Path

import pytest

from tfx_pipeline.failures import sentence
from uvcan_tf.errors import DataError

ROOT, LOG = Path("out"), Path("out/logs/1.log")


def _raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        _raised(RuntimeError("lost"), OSError(errno.ENOSPC, "No space left on device")),
        RuntimeError("out/a: No space left on device\nmore lines"),
        RuntimeError("database or disk is full"),
    ],
)
def test_a_full_disk_is_called_a_full_disk(error: Exception) -> None:
    said = sentence(error, ROOT, LOG)
    assert said == (
        "The disk that holds out is full. Make room and run the same command again: "
        "what was finished is kept."
    )


def test_our_own_errors_speak_for_themselves() -> None:
    assert sentence(DataError("Say this."), ROOT, LOG) == "Say this."


def test_of_other_errors_the_first_line_and_the_log_are_named() -> None:
    said = sentence(KeyError("x\ny"), ROOT, LOG)
    assert said.startswith("KeyError: ") and said.endswith(f"is in {LOG}.")
    assert "\n" not in said

"""One run at a time under a root."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from uvcan_tf.errors import UvcanError

FILE = "lock"


class RootInUseError(UvcanError):
    """Another run works under the same root."""


@contextlib.contextmanager
def held(root: Path) -> Iterator[None]:
    """Holds the root's lock while the block runs.

    The operating system gives the lock back when its process ends, however it ends: a
    file that a killed run left behind locks nothing.

    Raises:
      RootInUseError: another run holds it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RootInUseError(_sentence(root, file)) from None
        with contextlib.suppress(OSError):  # a full disk takes no name, but it locks
            _sign(file)
        yield


def _sign(file: TextIO) -> None:
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    file.truncate(0)
    content = {"process": os.getpid(), "host": socket.gethostname(), "since": now}
    file.write(json.dumps(content))
    file.flush()


def _sentence(root: Path, file: TextIO) -> str:
    file.seek(0)
    try:
        content = json.loads(file.read())
        holder = (
            f"process {content['process']} on {content['host']} since "
            f"{content['since']}"
        )
    except (ValueError, KeyError):
        holder = "a run that has just started"
    return (
        f"--root should be a folder that no other run is using. Received: {root}, "
        f"which is in use by {holder}. Wait until that run ends, or name another root."
    )

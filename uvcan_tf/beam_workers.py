"""Worker processes of Beam's local runner that die before their work is done.

The runner waits for the answers of its worker processes, and for those of a dead one it
waits for ever: it watches containers, but no processes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from apache_beam.portability import python_urns
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    SubprocessSdkWorkerHandler,
    WorkerHandler,
)
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker

from uvcan_tf.errors import UvcanError

#: How often a pipeline is told that what it waits for will never come.
_AGAIN_S: Final = 0.2

_OF_DATA: Final = logging.getLogger("apache_beam.runners.worker.data_plane")


class WorkerLostError(UvcanError):
    """A worker process of Beam's local runner died; the message says what to do."""


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Watches the worker processes of all pipelines that the block runs.

    Raises:
      WorkerLostError: the block has failed, and one of them died. The others were
        stopped.
    """
    lost: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _threads_in_log():

        def make(*given: Any) -> _Watched:
            return _Watched(lost, Path(folder), *given)

        _register(make)
        try:
            yield
        except Exception as error:
            if not lost:
                raise
            raise WorkerLostError(
                "Every worker process of Beam's local runner should work to its end. "
                f"Received: {lost[0]} (-9 and 137 mean that it was killed, as the "
                "system does where memory runs out). Run the same command again, with "
                "fewer workers if memory ran out: what was finished is kept."
            ) from error
        finally:
            _register(SubprocessSdkWorkerHandler)


@contextlib.contextmanager
def _threads_in_log() -> Iterator[None]:
    """Logs what stops a thread of the runner; the screen gets the one sentence."""
    before, level = threading.excepthook, _OF_DATA.level

    def log(given: threading.ExceptHookArgs) -> None:
        error = given.exc_value
        logging.getLogger(__name__).info(
            "%s has stopped.", given.thread, exc_info=error
        )

    threading.excepthook = log
    _OF_DATA.setLevel(logging.CRITICAL)  # it prints what its thread then ends with
    try:
        yield
    finally:
        threading.excepthook = before
        _OF_DATA.setLevel(level)


def _register(make: Any) -> None:
    """Sets what makes the handler of a worker process."""
    WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(make)


class _Watched(SubprocessSdkWorkerHandler):
    """Tells the pipeline that its process has died.

    Args:
      lost: how processes died, the first one first; shared by all handlers.
      folder: where each process notes its number, for the others to be stopped.
      command: of the process.
      runner: what Beam's own handler needs.
    """

    def __init__(
        self, lost: list[str], folder: Path, command: bytes, *runner: Any
    ) -> None:
        super().__init__(command, *runner)
        self._lost, self._note = lost, folder / self.worker_id
        note = shlex.quote(str(self._note))
        self._worker_command_line = f"echo $$ > {note}; exec ".encode() + command
        self._closing = threading.Event()

    def start_worker(self) -> None:
        """As Beam's own handler does, with another end."""
        self.worker = SubprocessSdkWorker(
            self._worker_command_line,
            self.control_address,
            self.provision_info,
            self.worker_id,
        )
        self.worker_thread = threading.Thread(target=self._run, daemon=True)
        self.worker_thread.start()

    def close(self) -> None:
        """Takes the end of the process as no loss any more."""
        self._closing.set()
        try:
            super().close()
        except Exception:  # newer Beam raises here what the data of a dead one raised
            if not self._lost:
                raise

    def _run(self) -> None:
        ended = "Worker subprocess exited"
        try:
            self.worker.run()
        except RuntimeError as error:
            ended = str(error)
        self._note.unlink(missing_ok=True)
        if self._closing.is_set():
            return
        self._lost.append(ended)
        _kill_all(self._note.parent)
        threading.Thread(target=self.data_conn.close, daemon=True).start()
        lost = ConnectionError(ended)
        while not self._closing.wait(_AGAIN_S):
            with contextlib.suppress(RuntimeError):  # a request came in between
                self.control_conn.abort(lost)


def _kill_all(folder: Path) -> None:
    """Ends all workers: what the others do is of no use now, and may take long."""
    for note in folder.iterdir():
        with contextlib.suppress(OSError, ValueError):  # it ends, or only begins
            os.kill(int(note.read_text("ascii")), signal.SIGKILL)

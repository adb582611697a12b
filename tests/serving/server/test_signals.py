"""A server ends when told, whichever thread the signal comes to, and whenever."""

from __future__ import annotations

import subprocess
import sys

import pytest

FROM_ANOTHER_THREAD = """
import signal, threading, time
from serving.server.signals import wait_to_be_told

def tell():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.{name})

threading.Thread(target=tell, daemon=True).start()
print(int(wait_to_be_told()))
"""


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("SIGINT", 2)])
def test_a_signal_to_another_thread_ends_the_wait(name: str, number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FROM_ANOTHER_THREAD.format(name=name)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, f"{number}\n"), done.stderr

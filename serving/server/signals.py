"""Waiting for the signal that ends a server."""

from __future__ import annotations

import signal
import socket

_ENDING = (signal.SIGTERM, signal.SIGINT)


def wait_to_be_told() -> int:
    """Blocks the main thread until SIGTERM or SIGINT, and returns its number.

    The wake-up is a byte in a socket, which no race loses. A lock, queue or event wakes
    only when the signal interrupts the main thread while it waits: not when it comes
    just before, or to a thread of TensorFlow's or gRPC's.
    """
    told, teller = socket.socketpair()
    with told, teller:
        teller.setblocking(False)
        previous = signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, lambda number, frame: None)
        try:
            return told.recv(1)[0]
        finally:
            signal.set_wakeup_fd(previous)

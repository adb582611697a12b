"""The ports that a server wants, looked at before it loads anything."""

from __future__ import annotations

import contextlib
import socket

from serving.server.options import Options
from serving.server.status import Code, StatusError


def check_free(options: Options) -> None:
    """Refuses a port that another process listens on.

    Raises:
      StatusError: in one sentence.
    """
    for flag, port in (
        ("port", options.port),
        ("rest_api_port", options.rest_api_port),
    ):
        if not port:
            continue
        try:
            with contextlib.closing(listener(options.host, port)):
                pass
        except OSError as error:
            address = f"{options.host}:{port}"
            raise cannot_listen(address, str(error.strerror), flag) from None


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens, of the family that the host needs."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    return socket.create_server((bare, port), family=family)


def cannot_listen(address: str, reason: str, flag: str = "port") -> StatusError:
    """The sentence for a port that cannot be had."""
    return StatusError(
        Code.UNAVAILABLE,
        f"The server should listen on {address}, which cannot be had ({reason}); stop "
        f"what listens there, or choose another address with --{flag} or --host.",
    )

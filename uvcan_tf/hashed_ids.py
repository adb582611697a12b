"""Ids that tell nobody who is meant unless they have the key.

Standard library only, so that a client can import it in milliseconds.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

from uvcan_tf.errors import ConfigError as ConfigError

SHORTEST_KEY: Final = 16
_DIGITS: Final = 32  # 128 bits: no two of 10^12 ids are expected to meet


def hashed(user_id: str, key: bytes) -> str:
    """The first half of HMAC-SHA-256, in hexadecimal digits.

    >>> hashed("u1", b"sixteen bytes or more")
    '83350d4f8719579d7daa12eed60db379'
    """
    return hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def read_key(path: Path) -> bytes:
    """The bytes of a key file, without the line break at its end.

    Raises:
      ConfigError: there is no such file, or its key is too short.
    """
    try:
        key = Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(
            f"The key file {path} should be a file that can be read. "
            f"Received: {error.strerror}."
        ) from None
    return checked_key(key, f"The key in {path}")


def checked_key(key: object, name: str = "`id_key`") -> bytes:
    """The key, if nobody can guess it by trying.

    Raises:
      ConfigError: the key is of another type or too short.
    """
    if isinstance(key, bytes) and len(key) >= SHORTEST_KEY:
        return key
    what = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
    raise ConfigError(
        f"{name} should be at least {SHORTEST_KEY} random bytes, such as those of "
        f"`openssl rand -hex 32`. Received: {what}."
    )

"""What the body of a REST call may take, looked at before anything is parsed."""

from __future__ import annotations

import dataclasses
import gzip
import io
import zlib

import numpy as np

from serving.server.status import invalid_argument

#: 1 where a value begins, but for the first one of the text.
_BEGINS = bytes(byte in b",[{" for byte in range(256))
#: 1 where it becomes deeper; 255, which is -1, where a list or object ends.
_DEEPENS = bytes((byte in b"[{") + 255 * (byte in b"]}") for byte in range(256))


class TooLarge(Exception):
    """A body beyond a limit; the message is for the caller."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a call may take.

    Args:
      body_bytes: of a body, as sent and inflated.
      values: in a body; a list counts, and so does each of its elements.
      nesting: lists and objects inside each other.
      timeout_s: for a body to come and to be answered.
      drain_s: for open calls when the server stops.
    """

    body_bytes: int = 2**24
    values: int = 2**18
    nesting: int = 64
    timeout_s: float = 30.0
    drain_s: float = 30.0

    def check_size(self, size: int) -> None:
        """Refuses a body of more bytes."""
        if size > self.body_bytes:
            raise _too_large(f"at most {self.body_bytes} bytes", "body_bytes")

    def check_json(self, body: bytes) -> None:
        """Refuses a text of more values, or of deeper ones."""
        openings = body.count(b"[") + body.count(b"{")
        if openings <= self.nesting and openings + body.count(b",") < self.values:
            return
        values, nesting = _outline(body)
        if values > self.values:
            raise _too_large(f"at most {self.values} JSON values", "values")
        if nesting > self.nesting:
            told = f"lists and objects at most {self.nesting} deep in each other"
            raise _too_large(told, "nesting")

    def unzipped(self, body: bytes) -> bytes:
        """The body that was zipped; no more of it is inflated than the limit."""
        try:
            with gzip.open(io.BytesIO(body)) as file:
                inflated = file.read(self.body_bytes + 1)
        except (OSError, EOFError, zlib.error):
            raise invalid_argument("Failed to uncompress the request body") from None
        self.check_size(len(inflated))
        return inflated


def _outline(body: bytes) -> tuple[int, int]:
    """How many values a JSON text has, and how deep they lie.

    An empty list or object counts twice.

    >>> _outline(b'{"a,[": [1, "[\\\\",", {}]}')
    (6, 3)
    """
    masked = body.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    quotes = np.frombuffer(masked, np.uint8) == ord('"')
    outside = np.cumsum(quotes, dtype=np.uint8) % 2 == 0  # of strings
    begins, deepens = (
        np.frombuffer(masked.translate(table), np.int8) * outside
        for table in (_BEGINS, _DEEPENS)
    )
    depth = np.cumsum(deepens, dtype=np.int32)
    return 1 + int(np.count_nonzero(begins)), int(depth.max(initial=0))


def _too_large(expected: str, flag: str) -> TooLarge:
    return TooLarge(
        f"The body should have {expected}; send fewer rows, or start the server with a "
        f"larger --rest_api_max_{flag}."
    )

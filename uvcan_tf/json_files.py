"""JSON files that a person wrote, read with one sentence on what is wrong.

Standard library only, as `features` is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from uvcan_tf.errors import UvcanError

__all__ = ["read_json"]


def read_json(path: Path, error: type[UvcanError]) -> Any:
    """The content of a JSON file in UTF-8, with or without a byte order mark.

    Args:
      path: the file.
      error: the member of the error family to raise.

    Raises:
      UvcanError: the file cannot be read, or is not JSON in UTF-8; names the place.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        return json.loads(text)
    except FileNotFoundError:
        raise error(f"{path} does not exist.") from None
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror}.") from None
    except UnicodeDecodeError as reason:
        raise error(
            f"{path} should be text in UTF-8; save it as UTF-8. Received: the byte "
            f"0x{reason.object[reason.start]:02x} at position {reason.start}."
        ) from None
    except json.JSONDecodeError as reason:
        raise error(
            f"{path} should be JSON; line {reason.lineno}, column {reason.colno}: "
            f"{reason.msg}."
        ) from None
    except RecursionError:
        raise error(f"{path} should be JSON; it is nested too deeply.") from None

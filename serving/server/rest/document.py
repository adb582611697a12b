"""The JSON of a request and of an error, as TF Serving's parser has it.

Unlike Python's own reading: a key that is given twice counts the first time, bytes
that are no UTF-8 stay as they are, a whole number beyond 64 bits is a decimal one, a
number beyond a double is refused, and so is half a surrogate pair.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import numpy as np

from serving.server.status import StatusError, invalid_argument
from uvcan_tf.compat import of_every_python

_BOM: Final = b"\xef\xbb\xbf"
_TOO_BIG: Final = "Number too big to be stored in double."
_LARGEST_SINGLE: Final = float(np.finfo(np.float32).max)
_TEXTS: Final = {
    "Expecting property name": "Missing a name for object member.",
    "Expecting ':'": "Missing a colon after a name of object member.",
    "Unterminated string": "Missing a closing quotation mark in string.",
    "Invalid control character": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX": "Incorrect hex digit after \\u escape in string.",
    "Extra data": "The document root must not be followed by other values.",
}
_BRACKETS: Final = re.compile(r'"[^"]*"?|[\[\]{}]')
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_SHORT: Final = re.compile(r'"[^"]*"?|(-?)\b(?:Inf(?:inity)?|NaN)\b')
_KINDS: Final = {str: "String", list: "Array", dict: "Object", type(None): "Null"}


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object; NaN and the infinities are accepted.

    Raises:
      StatusError: what TF Serving's parser says, but for the offset.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    text = body.removeprefix(_BOM).decode("utf-8", "surrogateescape")
    try:
        document = _read(text)
    except json.JSONDecodeError as error:
        document = _read_short_infinities(text, of_every_python(error))
    _check_surrogates(text)
    if not isinstance(document, dict):
        raise format_error(document, "Is not object")
    return document


def format_error(value: Any, message: str) -> StatusError:
    """A refusal that quotes what it refuses."""
    return invalid_argument(f"JSON Value: {quoted(value)} {message}")


def quoted(value: Any) -> str:
    """A value as errors show it: over several lines, a number in its short form."""
    if isinstance(value, float):
        return json.dumps(decimal(value, abs(value) <= _LARGEST_SINGLE))
    try:
        return json.dumps(value, indent=4, ensure_ascii=False)
    except RecursionError:
        return "..."


def kind_of(value: Any) -> str:
    """The parser's word for a value's type."""
    if isinstance(value, bool):
        return str(value)
    return _KINDS.get(type(value), "Number")


def decimal(value: float, single: bool) -> float:
    """A number whose text has six digits where they tell it, else nine or all.

    >>> decimal(0.10000000149011612, single=True)
    0.1
    """
    if not single or not math.isfinite(value):
        return value
    short = float(f"{value:g}")
    return short if np.float32(short) == np.float32(value) else float(f"{value:.9g}")


def _read(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_int=_whole,
            parse_float=_decimal,
            object_pairs_hook=_first_of_each,
        )
    except RecursionError:
        raise _parse_error("Nested too deeply.", 0) from None


def _read_short_infinities(text: str, error: json.JSONDecodeError) -> Any:
    """Reads again with `Inf` and `-NaN` spelled as Python has them."""
    pieces: list[str] = []
    at = 0
    for found in _SHORT.finditer(_masked(text)):
        if not found[0].startswith('"'):
            spelled = "NaN" if found[0].endswith("NaN") else f"{found[1]}Infinity"
            pieces += [text[at : found.start()], spelled]
            at = found.end()
    if pieces:
        try:
            return _read("".join(pieces) + text[at:])
        except json.JSONDecodeError:
            pass
    raise _parse_error(_explained(text, error), error.pos) from None


def _masked(text: str) -> str:
    """A text of the same length, in whose strings nothing is escaped."""
    return text.replace("\\\\", "__").replace('\\"', "__")


def _check_surrogates(text: str) -> None:
    """Refuses an escaped half of a pair that stands without the other half."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    due = -1  # where the second half must begin
    for found in _ESCAPE.finditer(text):
        code = int(found[1] or "0", 16)
        second = 0xDC00 <= code < 0xE000
        if second != (found.start() == due):
            break
        due = found.end() if 0xD800 <= code < 0xDC00 else -1
    else:
        found = None
    if found is not None or due >= 0:
        raise _parse_error("The surrogate pair in string is invalid.", 0)


def _explained(text: str, error: json.JSONDecodeError) -> str:
    for start, told in _TEXTS.items():
        if error.msg.startswith(start):
            return told
    if error.msg.startswith("Expecting ',' delimiter"):
        if _innermost(text[: error.pos]) == "{":
            return "Missing a comma or } after an object member."
        return "Missing a comma or ] after an array element."
    return "Invalid value." if text.strip(" \n\r\t") else "The document is empty."


def _innermost(text: str) -> str:
    """The bracket that is open at the end."""
    open_ones: list[str] = []
    for found in _BRACKETS.finditer(_masked(text)):
        if found[0] in ("[", "{"):
            open_ones.append(found[0])
        elif found[0] in ("]", "}") and open_ones:
            open_ones.pop()
    return open_ones[-1] if open_ones else ""


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _whole(text: str) -> int | float:
    if len(text) <= 20:
        value = int(text)
        if -(2**63) <= value < 2**64:
            return value
    return _decimal(text)


def _decimal(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _parse_error(_TOO_BIG, 0)
    return value


def _parse_error(message: str, offset: int) -> StatusError:
    return invalid_argument(f"JSON Parse error: {message} at offset: {offset}")

"""Where the two stacks differ: Python 3.10 with protobuf 3.20, and 3.13 with 6.

The only place that asks which one is here.
"""

from __future__ import annotations

import inspect
import json
from typing import Final

from google.protobuf import json_format

_OLD, _NEW = "including_default_value_fields", "always_print_fields_with_no_presence"
_PARAMETERS = inspect.signature(json_format.MessageToJson).parameters

# Makes `json_format` print zeros and empty lists, too.
WITH_DEFAULTS: Final = {_NEW if _NEW in _PARAMETERS else _OLD: True}

_COMMA: Final = "Illegal trailing comma before end of "


def of_every_python(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """The error as all Pythons tell it: 3.13 has its own for a comma before an end."""
    if not error.msg.startswith(_COMMA):
        return error
    rest = error.doc[error.pos + 1 :]
    position = error.pos + 1 + len(rest) - len(rest.lstrip(" \n\r\t"))
    expected = "property name enclosed in double quotes"
    what = expected if error.msg.endswith("object") else "value"
    return json.JSONDecodeError(f"Expecting {what}", error.doc, position)

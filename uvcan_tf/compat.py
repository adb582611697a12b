"""Where the two stacks differ: protobuf 3.20 beside TFX 1.16, protobuf 6 beside 1.21.

The only place that asks which one is here.
"""

from __future__ import annotations

import inspect
from typing import Final

from google.protobuf import json_format

_OLD, _NEW = "including_default_value_fields", "always_print_fields_with_no_presence"
_PARAMETERS = inspect.signature(json_format.MessageToJson).parameters

# Makes `json_format` print zeros and empty lists, too.
WITH_DEFAULTS: Final = {_NEW if _NEW in _PARAMETERS else _OLD: True}

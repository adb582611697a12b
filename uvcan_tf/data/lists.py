"""Lists that a text column holds: `a|b`, or what a program printed of its own lists."""

from __future__ import annotations

import ast
import json
import re
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from uvcan_tf.errors import DataError

__all__ = ["PRINTED", "SEPARATOR", "split"]

SEPARATOR: Final = "|"
PRINTED: Final = r"^\s*[\[({].*[\])}]\s*$"  # ['a', 'b'], ["a"], {'a'}, ('a',)
#: As NumPy prints an array; Python would make one name of two.
_ADJACENT: Final = re.compile(r"""['"]\s+['"]""")
_OTHER_SEPARATORS: Final = (",", ";", "\t")


def split(where: str, strings: pa.Array) -> pa.Array:
    """Lists of strings; null stays null.

    A column with a `|` in any cell is separated by it. Without one, cells that are
    all lists as Python or JSON prints them are read as those lists.

    Raises:
      DataError: cells look like lists, but it is not certain of what.
    """
    cells = strings.drop_null()
    if pc.any(pc.match_substring(cells, SEPARATOR)).as_py():
        return pc.split_pattern(strings, SEPARATOR)
    printed = pc.match_substring_regex(cells, PRINTED)
    if len(cells) and pc.all(printed).as_py():
        return _parsed(where, strings)
    for mark in _OTHER_SEPARATORS:
        found = pc.match_substring(cells, mark)
        if pc.any(found).as_py():
            raise _uncertain(where, cells[pc.index(found, True).as_py()].as_py())
    return pc.split_pattern(strings, SEPARATOR)


def _parsed(where: str, strings: pa.Array) -> pa.Array:
    distinct = strings.dictionary_encode()
    lists = pa.array(
        [_values(where, cell) for cell in distinct.dictionary.to_pylist()],
        pa.list_(pa.string()),
    )
    return lists.take(distinct.indices)


def _values(where: str, cell: str) -> list[str]:
    """The values of one printed list."""
    values: Any = None
    for parse in (json.loads, ast.literal_eval):
        try:
            values = parse(cell.strip())
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(values, (set, frozenset)):
        values = sorted(values, key=str)
    if not isinstance(values, (list, tuple)) or _ADJACENT.search(cell):
        raise _uncertain(where, cell)
    if not all(isinstance(value, (str, int)) or value is None for value in values):
        raise _uncertain(where, cell)
    return [value if isinstance(value, str) else str(value or "") for value in values]


def _uncertain(where: str, cell: str) -> DataError:
    shown = cell if len(cell) <= 40 else f"{cell[:37]}..."
    return DataError(
        f"{where} is declared multivalued and should have '{SEPARATOR}' between the "
        "values of a cell; write it so, or declare the column without `multivalued` "
        f"where a cell is one name. Received: {shown!r} and no '{SEPARATOR}' in any "
        "cell."
    )

"""Names of features that TensorFlow, files and Python all allow.

A column may have any name. In graphs, files of vocabularies, examples and the inputs
of signatures its feature has the same name where it is of ASCII letters, digits and
underscores, begins with a letter, and means nothing else there. Otherwise the name is
what is left of the column's, and eight digits of its hash:

    >>> safe_name("gender"), safe_name("home city")
    ('gender', 'home_city_699d6a19')

Standard library only, as `features` is.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["safe_name", "safe_names"]

_SAFE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LONGEST: Final = 40

#: What functions, TensorFlow and the networks call something else. A name is compared
#: without case, as TensorFlow and some file systems do.
_TAKEN: Final = frozenset(
    {"inputs", "prior", "self"} | {word.lower() for word in keyword.kwlist}
)


def safe_name(column: str) -> str:
    """The name of a column's feature; of a name that is safe, the same one."""
    is_safe = _SAFE.fullmatch(column) and column.lower() not in _TAKEN
    return column if is_safe else _hashed(column)


def safe_names(columns: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """The feature names of all columns, of which no two differ in case alone.

    Args:
      columns: names, each once; the earlier one keeps a name that two would have.
      taken: further names that a feature cannot have.
    """
    used = {name.lower() for name in taken}
    names = {}
    for column in columns:
        name = safe_name(column)
        if name.lower() in used:
            name = _hashed(column)
        used.add(name.lower())
        names[column] = name
    return names


def _hashed(column: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", column).strip("_")[:_LONGEST]
    start = words if words[:1].isalpha() else f"column_{words}".rstrip("_")
    digest = hashlib.sha256(column.encode(errors="surrogatepass")).hexdigest()
    return f"{start}_{digest[:8]}"

"""What a column can be: one name a row, several, a number, or a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from uvcan_tf.errors import DeclarationError
from uvcan_tf.safe_names import safe_names

__all__ = [
    "MEAN",
    "Categorical",
    "Dense",
    "Feature",
    "Numeric",
    "feature_from_json",
    "feature_to_json",
    "named",
]

#: The input of `Dense.signature`.
MEAN: Final = "mean"


# What becomes of a number; see `Numeric`.
BUCKETS: Final = "buckets"
STANDARDIZED: Final = "standardized"


@dataclasses.dataclass(frozen=True)
class Categorical:
    """A feature whose values are names: one per row, or several when multivalued.

    `column` is its name in the tables and `name` the one everywhere else; see
    `safe_names`, by which `Features` chooses the second.

    >>> Categorical("tags", multivalued=True).column
    'tags'
    """

    name: str
    multivalued: bool = False
    column: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", _column(self.name, self.column))

    @property
    def width(self) -> None:
        """A network looks its values up; see `Dense.width`."""
        return None


@dataclasses.dataclass(frozen=True)
class Dense:
    """A feature that is one float vector of a fixed length per row.

    >>> Dense("visual", 512).length
    512
    """

    name: str
    length: int
    column: str = ""

    @property
    def signature(self) -> str:
        """Of a SavedModel: makes such a vector of a mean of activations."""
        return f"{self.name}_vector"

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", _column(self.name, self.column))
        is_int = isinstance(self.length, int) and not isinstance(self.length, bool)
        if not is_int or self.length < 1:
            raise DeclarationError(
                f"Dense feature '{self.name}': `length` should be a positive int. "
                f"Received: length={self.length!r}."
            )

    @property
    def width(self) -> int:
        """The numbers of a row that a network multiplies with weights."""
        return self.length


@dataclasses.dataclass(frozen=True)
class Numeric:
    """A feature that is one number per row, of which a network sees another form.

    Args:
      name: as for `Categorical`.
      numeric: "buckets", each of about as many rows: a number is then like a name; or
        "standardized": the number's distance from the mean in standard deviations.
      count: how many buckets.

    >>> Numeric("age", "buckets", 3).buckets
    ('bucket 1', 'bucket 2', 'bucket 3')
    """

    name: str
    numeric: str
    count: int | None = None
    column: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", _column(self.name, self.column))
        if self.numeric not in (BUCKETS, STANDARDIZED):
            raise DeclarationError(
                f"Feature '{self.name}': `numeric` should be '{BUCKETS}' or "
                f"'{STANDARDIZED}'. Received: numeric={self.numeric!r}."
            )
        is_int = isinstance(self.count, int) and not isinstance(self.count, bool)
        enough = is_int and self.count is not None and 2 <= self.count <= 1000
        if self.numeric == BUCKETS and not enough:
            raise DeclarationError(
                f"Feature '{self.name}': `count` should be an int from 2 to 1000, the "
                f"number of buckets. Received: count={self.count!r}."
            )
        if self.numeric == STANDARDIZED and self.count is not None:
            raise DeclarationError(
                f"Feature '{self.name}' is standardized and has no buckets; leave "
                f"`count` out. Received: count={self.count!r}."
            )

    @property
    def buckets(self) -> tuple[str, ...]:
        """Names of the buckets, from the smallest numbers on; none if standardized."""
        return tuple(f"bucket {i}" for i in range(1, (self.count or 0) + 1))

    @property
    def width(self) -> int | None:
        """Of a standardized number: itself, and 1 where it is there."""
        return None if self.numeric == BUCKETS else 2

    @property
    def multivalued(self) -> bool:
        """Never: a row has one number."""
        return False


Feature = Categorical | Dense | Numeric


def named(features: Sequence[Feature], reserved: Collection[str]) -> tuple[Any, ...]:
    """The same features, each with the safe name of its column.

    Raises:
      DeclarationError: a column is reserved, or declared twice.
    """
    columns = [feature.column for feature in features]
    for number, column in enumerate(columns):
        if column in reserved:
            raise DeclarationError(
                f"Feature '{column}' uses a reserved name; rename the "
                f"column. Reserved: {', '.join(sorted(reserved))}."
            )
        if column in columns[:number]:
            raise DeclarationError(
                f"Feature '{column}' is declared twice; names are shared "
                "by the users and videos tables, so rename one column."
            )
    names = safe_names(columns, reserved)
    return tuple(dataclasses.replace(f, name=names[f.column]) for f in features)


def feature_to_json(feature: Feature) -> str | dict[str, Any]:
    """The entry of a `features.json`."""
    if isinstance(feature, Dense):
        return {"name": feature.column, "length": feature.length}
    if isinstance(feature, Numeric):
        count = {} if feature.count is None else {"count": feature.count}
        return {"name": feature.column, "numeric": feature.numeric, **count}
    if feature.multivalued:
        return {"name": feature.column, "multivalued": True}
    return feature.column


def feature_from_json(side: str, entry: str | Mapping[str, Any]) -> Feature:
    """The feature of an entry; `side` names its list in the message."""
    if isinstance(entry, str):
        return Categorical(entry)
    if isinstance(entry, dict) and isinstance(entry.get("name"), str):
        if set(entry) == {"name", "length"}:
            return Dense(entry["name"], entry["length"])
        if {"numeric"} <= set(entry) <= {"name", "numeric", "count"}:
            return Numeric(entry["name"], entry["numeric"], entry.get("count"))
        multivalued = entry.get("multivalued", False)
        if set(entry) <= {"name", "multivalued"} and isinstance(multivalued, bool):
            return Categorical(entry["name"], multivalued)
    raise DeclarationError(
        f"Each `{side}` feature should be a column name, or an object with `name` and "
        "one of `multivalued`, `length` and `numeric`, the last with a `count` of "
        f"buckets. Received: {entry!r}."
    )


def _column(name: object, column: str) -> str:
    """The column that is meant; a name is text that can be written."""
    try:
        written = isinstance(name, str) and name.strip() and name.encode()
    except UnicodeEncodeError:
        written = b""
    if not isinstance(name, str) or not written:
        raise DeclarationError(
            f"The name of a feature should be that of a column. Received: {name!r}."
        )
    return column or name

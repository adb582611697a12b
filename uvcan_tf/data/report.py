"""What each column holds, and what in it is worth a second look."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table

from uvcan_tf import features as names
from uvcan_tf.data.tables import Tables
from uvcan_tf.features import Categorical, Dense, Feature, Features, Numeric

__all__ = ["Column", "columns_table", "report", "warnings"]

_EXAMPLES: Final = 3
_LONGEST: Final = 16
_FEW: Final = 20  # rows among which all values may well differ


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of one table.

    Args:
      table: its table's name.
      feature: its declaration; None for an id.
      rows: of the table.
      missing: rows without a value.
      distinct: values; 0 for vectors.
      examples: the most frequent values.
    """

    table: str
    name: str
    feature: Feature | None
    rows: int
    missing: int
    distinct: int
    examples: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What the declaration says of the column."""
        match self.feature:
            case None:
                return "id"
            case Dense(length=length):
                return f"vector of {length}"
            case Numeric(count=None):
                return "number"
            case Numeric(count=count):
                return f"number, {count} buckets"
            case Categorical(multivalued=True):
                return "names"
            case _:
                return "name"

    def warnings(self) -> Iterator[str]:
        """A sentence on each thing that is allowed and probably not meant."""
        where = f"{self.table}, column '{self.name}'"
        if self.feature is not None and self.missing == self.rows:
            yield f"{where} is empty throughout; nothing can be learned from it."
        elif isinstance(self.feature, Categorical | Numeric):
            if self.distinct == 1 and not self.missing:
                yield f"{where} has the same value in every row."
        if isinstance(self.feature, Categorical):
            if self.distinct == self.rows > _FEW:
                yield (
                    f"{where} has another value in every row, as an id has; nothing "
                    "can be learned from it."
                )
        if self.feature is not None and self.feature.name != self.name:
            yield (
                f"{where} is called '{self.feature.name}' in SavedModels and examples, "
                "where its own name is not allowed."
            )


def report(tables: Tables, features: Features) -> list[Column]:
    """Every id and every declared column, in the order of the declaration."""
    sides = (
        (names.USERS, names.USER_ID, tables.users, features.user),
        (names.VIDEOS, names.VIDEO_ID, tables.videos, features.video),
    )
    found = []
    for table, id_name, rows, declared in sides:
        found.append(_column(table, id_name, None, rows[id_name]))
        for feature in declared:
            column = rows[feature.name]
            found.append(_column(table, feature.column, feature, column))
    return found


def warnings(tables: Tables, features: Features) -> list[str]:
    """Sentences on columns and pairs that are allowed and probably not meant."""
    found = [w for column in report(tables, features) for w in column.warnings()]
    pairs = tables.interactions
    liked = pairs.filter(pc.equal(pairs[names.LABEL], 1))
    likes = pc.value_counts(liked[names.USER_ID]).field("counts").to_numpy()
    everything = int(np.count_nonzero(likes == tables.videos.num_rows))
    silent = tables.users.num_rows - len(likes)
    unliked = tables.videos.num_rows - len(pc.unique(liked[names.VIDEO_ID]))
    counted = (
        (everything, "users like every video, so that no video ranks below theirs"),
        (silent, "users like nothing; they are known by their attributes alone"),
        (unliked, "videos are liked by nobody; they are known by attributes alone"),
    )
    return [*tables.notes, *found, *(f"{n:,} {what}." for n, what in counted if n)]


def columns_table(columns: list[Column]) -> Table:
    """The columns as a table on the screen."""
    table = Table()
    for title in ("column", "kind", "distinct", "missing", "most frequent"):
        right = title in ("distinct", "missing")
        table.add_column(title, justify="right" if right else "left")
    for column in columns:
        table.add_row(
            f"{column.table}.{column.name}",
            column.kind,
            f"{column.distinct:,}" if column.distinct else "",
            f"{column.missing / column.rows:.1%}",
            ", ".join(column.examples),
        )
    return table


def _column(
    table: str, name: str, feature: Feature | None, column: pa.ChunkedArray
) -> Column:
    distinct = 0
    examples: tuple[str, ...] = ()
    if not isinstance(feature, Dense):
        values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
        counts = pc.value_counts(values.drop_null())
        order = np.argsort(-counts.field("counts").to_numpy(), kind="stable")
        frequent = counts.field("values").take(pa.array(order[:_EXAMPLES]))
        distinct = len(counts)
        examples = tuple(_short(value) for value in frequent.to_pylist())
    missing = column.null_count
    return Column(table, name, feature, len(column), missing, distinct, examples)


def _short(value: str | float) -> str:
    value = value if isinstance(value, str) else f"{value:g}"
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"

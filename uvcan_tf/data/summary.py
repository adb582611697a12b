"""How large a set of tables is, as a record and as a table on the screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from rich.table import Table

from uvcan_tf.data.tables import Tables
from uvcan_tf.features import LABEL

__all__ = ["Summary", "summarise", "summary_table"]


@dataclasses.dataclass(frozen=True)
class Summary:
    """Counts of users, videos, liked pairs and skipped impressions."""

    users: int
    videos: int
    likes: int
    skipped: int

    @property
    def density(self) -> float:
        """The share of all pairs of a user and a video that are liked."""
        return self.likes / (self.users * self.videos)


def summarise(tables: Tables) -> Summary:
    """Counts the rows of canonical tables."""
    likes = int(np.count_nonzero(tables.interactions[LABEL].to_numpy()))
    return Summary(
        users=tables.users.num_rows,
        videos=tables.videos.num_rows,
        likes=likes,
        skipped=tables.interactions.num_rows - likes,
    )


def summary_table(summary: Summary, notes: Iterable[tuple[str, str]] = ()) -> Table:
    """The counts, with more lines of a name and a value below them."""
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name in ("users", "videos", "likes", "skipped"):
        title = "skipped impressions" if name == "skipped" else name
        table.add_row(title, f"{getattr(summary, name):,}")
    table.add_row("density", f"{summary.density:.3%}")
    for name, value in notes:
        table.add_row(name, value)
    return table

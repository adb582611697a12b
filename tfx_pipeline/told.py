"""What Beam's workers tell of their rows; all of it adds up."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

import pyarrow as pa

from tfx_pipeline import snapshot
from uvcan_tf.data.held_out import Counts
from uvcan_tf.data.problems import Problems
from uvcan_tf.errors import DataError

_Numbers = collections.Counter  # those of zero are left out when two are added


@dataclasses.dataclass(frozen=True)
class Told:
    """The sum of what some workers told.

    Attributes:
      failures: why pieces could not be read, with the places of table and piece.
      rows: by table, those that arrived.
      pairs: of interactions, once those of several days are one.
      problems: what makes the tables unusable.
      shards: those that have interactions.
      times: how many rows there are by time, exact or cut.
      without_time: how many rows have none.
      counts: of the rows that were held out and kept.
      likes: of groups of videos; see `snapshot.likes_of_groups`.
    """

    failures: tuple[tuple[int, int, str], ...] = ()
    rows: collections.Counter[str] = dataclasses.field(default_factory=_Numbers)
    pairs: int = 0
    problems: Problems = dataclasses.field(default_factory=Problems)
    shards: tuple[int, ...] = ()
    times: collections.Counter[int] = dataclasses.field(default_factory=_Numbers)
    without_time: int = 0
    counts: Counts = dataclasses.field(default_factory=Counts)
    likes: tuple[pa.Table, ...] = ()

    def __add__(self, other: Told) -> Told:
        return Told(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in dataclasses.fields(self)
            }
        )

    def require(self) -> None:
        """Checks that every piece was read and that the tables can be used.

        Raises:
          DataError: one sentence on the first thing that is wrong.
        """
        for *_, sentence in sorted(self.failures):
            raise DataError(sentence)
        for sentence in self.problems.sentences():
            raise DataError(sentence)


def total(every: Iterable[Told]) -> Told:
    """The sum of any number."""
    found = Told()
    for told in every:
        found += told
    if len(found.likes) > 1:
        found = dataclasses.replace(found, likes=(snapshot.added(found.likes),))
    return found

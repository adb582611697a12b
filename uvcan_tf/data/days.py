"""Which part files of a table a range of days takes.

A table may be a folder with a folder for each day, called `span-3` or
`dt=2022-04-09`, that holds the part files of the day. Whoever lists files, on a disk or
at an address, asks `part_files` which of them are meant.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from uvcan_tf.errors import ConfigError, DataError

__all__ = ["SUFFIXES", "Range", "is_day", "label", "part_files"]

SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")

_SPAN, _DATE = "span-", "dt="
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_CALENDAR: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclasses.dataclass(frozen=True)
class _Day:
    """A day, or a span, by its number; the prefix tells the numbers apart."""

    prefix: str
    number: int

    def __str__(self) -> str:
        if self.prefix == _SPAN:
            return f"{_SPAN}{self.number}"
        return f"{_DATE}{datetime.date.fromordinal(self.number).isoformat()}"


@dataclasses.dataclass(frozen=True)
class Range:
    """What a user writes for a range of days; empty means all days that are there.

    Args:
      text: the number of the last days, such as `14`; or `FIRST:LAST`, two spans such
        as `3:9`, or two dates such as `2022-04-09:2022-04-22`.

    Raises:
      ConfigError: the text is neither.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text or (_NUMBER.fullmatch(self.text) and int(self.text)):
            return
        if len(self._ends) == 2 == self.text.count(":") + 1:
            first, last = self._ends
            if first.prefix == last.prefix and first.number <= last.number:
                return
        raise ConfigError(
            "`days` should be how many of the last days are taken, such as 14, or the "
            "first and the last one, such as 3:9 or 2022-04-09:2022-04-22. Received: "
            f"days={self.text!r}."
        )

    @property
    def _ends(self) -> list[_Day]:
        """Those of the days around the colon that are days."""
        days = (_of_text(text) for text in self.text.split(":"))
        return [day for day in days if day is not None]

    def of(self, there: Sequence[_Day]) -> list[_Day]:
        """All days from the first to the last, given those that are there, in order.

        The last days are counted back from the newest one; before the oldest one there
        was none.
        """
        if ":" in self.text:
            first, last = self._ends
        else:
            last = there[-1]
            oldest = max(last.number - int(self.text) + 1, there[0].number)
            first = _Day(last.prefix, oldest)
        numbers = range(first.number, last.number + 1)
        return [_Day(first.prefix, number) for number in numbers]


def part_files(table: str, files: Iterable[str], days: str = "") -> list[str]:
    """The part files to read, those of one day after those of the day before.

    Args:
      table: the name of the table's folder, for messages.
      files: all files in it, by their names from there on: `part-0.parquet`, or
        `span-3/part-0.parquet`. Files and folders that tools hide, and folders of other
        names, are passed by.
      days: see `Range`.

    Raises:
      DataError: a day of the range is missing, or the files do not lie as they should.
      ConfigError: the range cannot be read.
    """
    wanted = Range(days)
    parts = sorted(name for name in files if _is_part(name))
    whole = [name for name in parts if "/" not in name]
    of_day = _by_day(table, [name for name in parts if "/" in name])
    if whole and of_day:
        raise DataError(
            f"{table} should have all its part files in folders of days, or none. "
            f"Received: {whole[0]} beside {next(iter(of_day))}; move it into its day."
        )
    if not days:
        return whole or [name for names in of_day.values() for name in names]
    if not of_day:
        raise DataError(
            f"{table} should have a folder for each day, such as span-1 or "
            f"dt=2022-04-09, where `days` chooses some. Received: days={days!r}, and "
            "no part file in such a folder."
        )
    _require_all(table, wanted, list(of_day))
    return [name for day in wanted.of(list(of_day)) for name in of_day[day]]


def is_day(folder: str) -> bool:
    """Whether a folder of this name holds the part files of a day."""
    return _of_folder(folder) is not None


def label(part: Path) -> str:
    """How a message calls a file: by its day, where it is a day's."""
    folder = part.parent.name
    return f"{folder}/{part.name}" if is_day(folder) else part.name


def _is_part(name: str) -> bool:
    *folders, file = name.split("/")
    if file.startswith(("_", ".")) or not file.endswith(SUFFIXES):
        return False
    return not folders or (len(folders) == 1 and is_day(folders[0]))


def _by_day(table: str, parts: Sequence[str]) -> dict[_Day, list[str]]:
    """The files of each day, the oldest day first."""
    folders: dict[_Day, str] = {}
    found: dict[_Day, list[str]] = {}
    for name in parts:
        folder = name.split("/")[0]
        day = _of_folder(folder)
        assert day is not None
        if folders.setdefault(day, folder) != folder:
            raise DataError(
                f"{table} should have one folder for each day. Received: {folder} and "
                f"{folders[day]}; remove the one not meant."
            )
        found.setdefault(day, []).append(name)
    if len({day.prefix for day in found}) > 1:
        some = [next(d for d in found if d.prefix == p) for p in (_SPAN, _DATE)]
        raise DataError(
            f"{table} should have days of one kind, span-N or dt=YYYY-MM-DD. "
            f"Received: {some[0]} and {some[1]}; rename the one or the other."
        )
    return dict(sorted(found.items(), key=lambda item: item[0].number))


def _require_all(table: str, wanted: Range, there: Sequence[_Day]) -> None:
    """Raises `DataError` unless all days of the range are there."""
    asked = wanted.of(there)
    missing = [day for day in asked if day not in set(there)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{table} should have every day from {asked[0]} to {asked[-1]}. Received: "
            f"{there[0]} to {there[-1]}, without {missing[0]}{more}; write what is "
            "missing, or choose other `days`."
        )


def _of_folder(name: str) -> _Day | None:
    for prefix in (_SPAN, _DATE):
        if name.startswith(prefix):
            day = _of_text(name.removeprefix(prefix))
            return day if day and day.prefix == prefix else None
    return None


def _of_text(text: str) -> _Day | None:
    """The day of a number or of a date."""
    if _NUMBER.fullmatch(text):
        return _Day(_SPAN, int(text))
    if _CALENDAR.fullmatch(text):
        try:
            return _Day(_DATE, datetime.date.fromisoformat(text).toordinal())
        except ValueError:
            return None
    return None

"""Files of days come in the order of the days, and a gap in a range is refused."""

from __future__ import annotations

import re

import pytest

from uvcan_tf.data.days import Range, part_files
from uvcan_tf.errors import ConfigError, DataError

SPANS = [f"span-{n}/part-{k}.csv" for n in (2, 3, 9, 10) for k in (0, 1)]
DATES = [f"dt=2024-02-{day}/p.parquet" for day in (27, 28, 29)]
DATES += ["dt=2024-03-01/p.parquet"]


def of_spans(*numbers: int) -> list[str]:
    return [f"span-{n}/part-{k}.csv" for n in numbers for k in (0, 1)]


@pytest.mark.parametrize(
    ("days", "taken"),
    [
        ("", of_spans(2, 3, 9, 10)),
        ("2", of_spans(9, 10)),
        ("2:3", of_spans(2, 3)),
        ("9:9", of_spans(9)),
    ],
)
def test_a_range_takes_its_days_in_their_order(days: str, taken: list[str]) -> None:
    assert part_files("interactions", sorted(SPANS, reverse=True), days) == taken


def test_a_range_of_dates_follows_the_calendar() -> None:
    assert part_files("i", DATES, "3") == DATES[1:]
    assert part_files("i", DATES, "2024-02-28:2024-02-29") == DATES[1:3]


def test_more_days_than_the_log_is_old_are_all_of_it() -> None:
    assert part_files("i", DATES, "30") == DATES


@pytest.mark.parametrize(
    ("files", "days", "sentence"),
    [
        (SPANS, "3:9", "span-3 to span-9. Received: span-2 to span-10, without span-4"),
        (SPANS, "3", "every day from span-8 to span-10.*without span-8;"),
        (SPANS, "11:14", "from span-11 to span-14.*without span-11 and 3 more;"),
        (SPANS, "2024-02-27:2024-03-01", "without dt=2024-02-27 and 3 more"),
        (DATES[:1] + DATES[2:], "4", "without dt=2024-02-28; write what is missing"),
        (["part-0.csv"], "2", "a folder for each day.*Received: days='2'"),
        ([], "2", "a folder for each day.*Received: days='2'"),
    ],
)
def test_a_missing_day_is_named(files: list[str], days: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as error:
        part_files("interactions", files, days)
    assert "\n" not in str(error.value)


def test_a_day_without_part_files_is_missing() -> None:
    files = ["span-1/a.csv", "span-2/_SUCCESS", "span-3/a.csv"]
    with pytest.raises(DataError, match="without span-2;"):
        part_files("interactions", files, "1:3")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["p.csv", "span-1/p.csv"], "Received: p.csv beside span-1; move it"),
        (["span-1/p.csv", "span-01/p.csv"], "Received: span-1 and span-01; remove"),
        (["span-1/p.csv", *DATES], "Received: span-1 and dt=2024-02-27; rename"),
    ],
)
def test_days_that_contradict_each_other_are_refused(
    files: list[str], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        part_files("interactions", files)


def test_what_is_no_day_is_passed_by() -> None:
    others = [".tmp.csv", "_tmp/p.csv", "dt=2023-02-29/p.csv", "old/p.csv", "x.txt"]
    assert part_files("i", [*others, "p.csv"]) == ["p.csv"]


@pytest.mark.parametrize(
    "text", ["0", "-3", "3:", "9:3", "3:2024-01-01", "a", "1:2:3", "1:a:3"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"Received: days={text!r}.")):
        Range(text)

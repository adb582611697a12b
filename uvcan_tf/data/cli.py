"""`python -m uvcan_tf data …`: make tables, or check them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, get_args

import click
from rich.console import Console

from uvcan_tf import features as names
from uvcan_tf.data import hash_ids
from uvcan_tf.data.held_out import split_interactions
from uvcan_tf.data.report import columns_table, report, warnings
from uvcan_tf.data.sources import any_log, kuairand, movielens, synthetic
from uvcan_tf.data.summary import Summary, summarise, summary_table
from uvcan_tf.data.tables import problems, read_tables
from uvcan_tf.errors import ConfigError, DataError
from uvcan_tf.evaluation_settings import LAST, RANDOM, TIME, EvaluationConfig
from uvcan_tf.features import FEATURES_FILE, USER_ID, VIDEO_ID, DeclarationError
from uvcan_tf.hashed_ids import read_key
from uvcan_tf.terminal.lazy_group import Lazy, LazyGroup

__all__ = ["data"]

_folder = click.Path(file_okay=False, path_type=Path)
_path = click.Path(path_type=Path)
_raw = click.option(
    "--raw", type=_folder, required=True, help="Folder of the public files."
)
_out = click.option("--out", type=_folder, required=True, help="Folder for the tables.")


_LAZY: Final = {
    "visual": Lazy(
        "uvcan_tf.visual.cli:command",
        "A vector of each video, from its file.",
        "visual",
    ),
}


@click.group(cls=LazyGroup, lazy=_LAZY)
def data() -> None:
    """Make the three tables, or check them."""


@data.command("kuairand")
@_raw
@_out
@click.option(
    "--positive",
    type=click.Choice(get_args(kuairand.Positive)),
    default="long_view",
    show_default=True,
    help="The signal that counts as a like.",
)
@click.option(
    "--min-interactions",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Likes that a user needs to be kept.",
)
@click.option(
    "--rows-in-order",
    is_flag=True,
    help="A log without times stands in the order of watching: number its rows.",
)
def kuairand_command(
    raw: Path,
    out: Path,
    positive: kuairand.Positive,
    min_interactions: int,
    rows_in_order: bool,
) -> None:
    """KuaiRand-Pure, 1K or 27K, a public micro-video log."""
    with _working(f"converting {raw}"):
        summary = kuairand.convert(raw, out, positive, min_interactions, rows_in_order)
    _show(f"written to {out}", summary)


@data.command("movielens")
@_raw
@_out
@click.option(
    "--min-rating",
    type=click.FloatRange(0.5, 5),
    default=0.5,
    show_default=True,
    help="Lower ratings count as skipped impressions.",
)
def movielens_command(raw: Path, out: Path, min_rating: float) -> None:
    """MovieLens 100K, 1M, 10M, 20M, latest …: public film ratings."""
    with _working(f"converting {raw}"):
        summary = movielens.convert(raw, out, min_rating)
    _show(f"written to {out}", summary)


@data.command("synthetic")
@click.option("--preset", type=click.Choice(list(synthetic.PRESETS)), required=True)
@_out
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
def synthetic_command(preset: str, out: Path, seed: int) -> None:
    """A world of planted tastes, in the sizes of the paper's Table 2."""
    with _working(f"making the world {preset}"):
        made = synthetic.generate(preset, out, seed)
    notes = [
        ("HR@10 of the planted score", f"{made.oracle_hr_at_10:.3f}"),
        ("HR@10 of popularity", f"{made.popularity_hr_at_10:.3f}"),
    ]
    _show(f"written to {out}", made.summary, notes)


@data.command("import")
@click.argument("log", type=_path)
@_out
@click.option("--user", default=USER_ID, show_default=True, help="Column of users.")
@click.option("--video", default=VIDEO_ID, show_default=True, help="Column of videos.")
@click.option(
    "--rating", help="Column that --positive judges. [default: all are likes]"
)
@click.option("--positive", help="Which ratings are likes, such as '>=4'.")
@click.option("--time", help="Column of moments, in any unit or as ISO text.")
@click.option("--users", type=_path, help="Table of users. [default: made of the ids]")
@click.option(
    "--videos", type=_path, help="Table of videos. [default: made of the ids]"
)
@click.option("--drop-unknown", is_flag=True, help="Leave out ids without a row there.")
@click.option(
    "--merge-repeats",
    is_flag=True,
    help="A pair of several rows is a like where one of them is, at the latest time.",
)
@click.option(
    "--core",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Fewest likes of a kept user and of a kept video.",
)
def import_command(log: Path, out: Path, **mapping: Any) -> None:
    """Any table of interactions in LOG, with its columns named."""
    with _working(f"importing {log}"):
        tables, features = any_log.convert(log, out, any_log.Mapping(**mapping))
    _show(f"written to {out}", summarise(tables))
    click.echo(f"{out / FEATURES_FILE}, guessed from the columns, to be edited:")
    click.echo(json.dumps(features.to_json(), ensure_ascii=False))


@data.command("hash-ids")
@click.argument("folder", type=_folder)
@_out
@click.option(
    "--key", type=_path, required=True, help="File of 16 random bytes or more."
)
def hash_ids_command(folder: Path, out: Path, key: Path) -> None:
    """The tables in FOLDER with keyed hashes instead of user ids."""
    with _working(f"hashing the user ids of {folder}"):
        tables = hash_ids.convert(folder, out, read_key(key))
    _show(f"written to {out}", summarise(tables))


@data.command("check")
@click.argument("folder", type=_folder)
@click.option(
    "--split",
    type=click.Choice([RANDOM, TIME, LAST]),
    default=RANDOM,
    show_default=True,
    help="How the test set is to be chosen: `evaluation.split`.",
)
@click.option(
    "--days",
    default="",
    help="Of interactions: the last N, or FIRST:LAST. [default: all]",
)
def check_command(folder: Path, split: str, days: str) -> None:
    """Read the tables in FOLDER and say whether they can be used."""
    with _working(f"reading {folder}"):
        features = names.of_folder(folder)
        tables = read_tables(folder, features, checked=False, days=days)
        found = list(problems(tables))
        if found:
            raise DataError("\n".join(found))
        config = EvaluationConfig(split=split)
        held_out = split_interactions(tables.interactions, config).report
        columns, found = report(tables, features), warnings(tables, features)
    _show(f"{folder} can be used", summarise(tables))
    Console().print(columns_table(columns))
    click.echo(held_out)
    for warning in found:
        click.echo(f"Note: {warning}")


@contextlib.contextmanager
def _working(what: str) -> Iterator[None]:
    """Shows that work is going on; turns errors of the data into one sentence."""
    try:
        with Console(stderr=True).status(what):
            yield
    except (ConfigError, DataError, DeclarationError) as error:
        raise click.ClickException(str(error)) from None


def _show(title: str, summary: Summary, notes: Iterable[tuple[str, str]] = ()) -> None:
    click.echo(title)
    Console().print(summary_table(summary, notes))

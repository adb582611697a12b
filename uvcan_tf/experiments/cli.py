"""`python -m uvcan_tf experiment …`: the paper's tables and figures on any tables."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from uvcan_tf.terminal.quiet import quiet_xla

BEST_ALONE = "UVCAN(best)"
_FOLDER = click.Path(path_type=Path, file_okay=False)
_OPTIONS = (
    click.option("--data", "folder", type=_FOLDER, required=True, help="The tables."),
    click.option("--name", help="Of the results' folder; else that of --data."),
    click.option("--methods", help="Some methods only, separated by commas."),
    click.option("--seeds", default="1,2,3", show_default=True),
    click.option(
        "--trials",
        type=click.IntRange(1),
        default=8,
        show_default=True,
        help="Of every method's search; the first takes its defaults.",
    ),
    click.option(
        "--test-users", type=click.IntRange(1), help="Rank the pairs of so many only."
    ),
    click.option(
        "--validation-users", type=click.IntRange(1), default=1000, show_default=True
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1),
        default=30,
        show_default=True,
        help="Of a neural method's trial, at most.",
    ),
    click.option(
        "--trial-seconds",
        type=click.FloatRange(1),
        default=300.0,
        show_default=True,
        help="A neural method's trial starts no epoch later than that.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(1),
        default=2048,
        show_default=True,
        help="Of neural methods, in likes; less for few likes.",
    ),
    click.option(
        "--work",
        type=_FOLDER,
        default=Path("build/experiments"),
        show_default=True,
        help="Ranks and trials, from which a killed run goes on.",
    ),
    click.option(
        "--out",
        type=_FOLDER,
        default=Path("results"),
        show_default=True,
        help="Settings, tables and plots.",
    ),
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of all experiments."""

    @functools.wraps(command)
    def with_cells(**options: Any) -> None:
        command(*_open(**options))

    for option in reversed(_OPTIONS):
        with_cells = option(with_cells)
    return with_cells


def _open(
    folder: Path, name: str | None, methods: str | None, seeds: str, **options: Any
) -> tuple[Any, Any, str | None, list[int]]:
    """The cells, the dataset, the methods' names and the seeds of one command."""
    from uvcan_tf import config as settings
    from uvcan_tf import features as names
    from uvcan_tf.data.encode_tables import encode_tables
    from uvcan_tf.data.tables import read_tables
    from uvcan_tf.experiments.cells import Cells

    cells = Cells(
        name=name or folder.resolve().name,
        command=_command(),
        say=lambda sentence: click.echo(sentence, err=True),
        **options,
    )
    features = names.of_folder(folder)
    dataset = encode_tables(read_tables(folder, features), features, cells.evaluation)
    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise settings.ConfigError(
            f"`--seeds` should be ints separated by commas. Received: {seeds!r}."
        ) from None
    quiet_xla()
    return cells, dataset, methods, numbers


def _command() -> str:
    """The command as it was given; of absolute paths, only the last part."""
    words = [Path(w).name if w.startswith("/") else w for w in sys.argv[1:]]
    return f"python -m uvcan_tf {shlex.join(words)}"


def _setting(cells: Any, dataset: Any) -> Any:
    from uvcan_tf.experiments.setting import table3_setting

    return table3_setting(dataset, cells.evaluation, cells.validation_users)


def _methods(names: str | None) -> Any:
    from uvcan_tf.experiments.methods import TABLE3, chosen

    return chosen(names, TABLE3)


@click.group()
def experiment() -> None:
    """The paper's experiments: every method tuned alike, measured by one evaluator."""


@experiment.command("table3")
@_options
def table3(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """All methods: HR@10 and NDCG@10, improvement, p-values."""
    from uvcan_tf.experiments.table3 import run

    run(cells, _setting(cells, dataset), _methods(methods), seeds)
    _show(cells.results / "table3.md")


@experiment.command("figure3")
@_options
def figure3(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """HR@k and NDCG@k for k = 10, 20, ... 50."""
    from uvcan_tf.experiments.table3 import figure3

    figure3(cells, _setting(cells, dataset), _methods(methods), seeds)
    click.echo(cells.results / "figure3.png")


@experiment.command("figure4")
@_options
def figure4(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """HR@10 and NDCG@10 for K = 16, 32, 64."""
    from uvcan_tf.experiments.figure4_tables45 import figure4

    figure4(cells, _setting(cells, dataset), _methods(methods), seeds)
    click.echo(cells.results / "figure4.png")


@experiment.command("tables45")
@_options
def tables45(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """UVCAN with 1 to 4 hops for K = 16, 32, 64."""
    from uvcan_tf.experiments.figure4_tables45 import tables45

    some = _methods(methods or "UVCAN(paper)")
    if len(some) != 1:
        raise click.UsageError(
            f"`--methods` should name one method here. Received: {methods}."
        )
    tables45(cells, _setting(cells, dataset), some[0], seeds)
    _show(cells.results / "tables45.md")


@experiment.command("ablation")
@_options
def ablation(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """UVCAN(best) without one ingredient at a time."""
    from uvcan_tf.experiments.ablation import run

    if methods not in (None, BEST_ALONE):
        raise click.UsageError(
            f"`--methods` should be left out here: the ablation is of {BEST_ALONE}. "
            f"Received: {methods}."
        )
    run(cells, _setting(cells, dataset), seeds)
    _show(cells.results / "ablation.md")


@experiment.command("slices")
@_options
def slices(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """Table 3 by the number of training likes of user and video."""
    from uvcan_tf.experiments.slices import run

    run(cells, _setting(cells, dataset), _methods(methods), seeds)
    _show(cells.results / "slices.md")


@experiment.command("cold")
@_options
def cold(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """Users, then videos, that are held out entirely."""
    from uvcan_tf.experiments.methods import chosen, cold_methods
    from uvcan_tf.experiments.setting import new_users_setting, new_videos_setting
    from uvcan_tf.experiments.table3 import run

    some = chosen(methods, cold_methods(dataset.features))
    for make in (new_users_setting, new_videos_setting):
        setting = make(dataset, cells.evaluation, cells.validation_users)
        run(cells, setting, some, seeds)
        _show(cells.results / f"{setting.name}.md")


@experiment.command("report")
@click.option("--out", type=_FOLDER, default=Path("results"), show_default=True)
def report(out: Path) -> None:
    """Put README.md of the results' folder together."""
    from uvcan_tf.experiments.report import write

    click.echo(write(out))


def _show(path: Path) -> None:
    click.echo(path.read_text(encoding="utf-8"))

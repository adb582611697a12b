"""`python -m uvcan_tf experiment …`: the paper's tables and figures on any tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from uvcan_tf.experiments.options import FOLDER, with_options
from uvcan_tf.terminal.arguments import make_folder

ABLATED = ("UVCAN(best)", "UVCAN(history)")


def _setting(cells: Any, dataset: Any) -> Any:
    from uvcan_tf.experiments.setting import table3_setting

    return table3_setting(dataset, cells.evaluation, cells.validation_users)


def _methods(names: str | None) -> Any:
    from uvcan_tf.experiments.choice import chosen
    from uvcan_tf.experiments.methods import TABLE3

    return chosen(names, TABLE3)


@click.group()
def experiment() -> None:
    """The paper's experiments: every method tuned alike, measured by one evaluator."""


@experiment.command("table3")
@with_options
def table3(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """All methods: HR@10 and NDCG@10, improvement, p-values."""
    from uvcan_tf.experiments.table3 import run

    run(cells, _setting(cells, dataset), _methods(methods), seeds)
    _show(cells.results / "table3.md")


@experiment.command("figure3")
@with_options
def figure3(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """HR@k and NDCG@k for k = 10, 20, ... 50."""
    from uvcan_tf.experiments.table3 import figure3

    figure3(cells, _setting(cells, dataset), _methods(methods), seeds)
    click.echo(cells.results / "figure3.png")


@experiment.command("figure4")
@with_options
def figure4(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """HR@10 and NDCG@10 for K = 16, 32, 64."""
    from uvcan_tf.experiments.figure4_tables45 import figure4

    figure4(cells, _setting(cells, dataset), _methods(methods), seeds)
    click.echo(cells.results / "figure4.png")


@experiment.command("tables45")
@with_options
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
@with_options
def ablation(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """UVCAN(best), or UVCAN(history), without one ingredient at a time."""
    from uvcan_tf.experiments.ablation import run

    if methods not in (None, *ABLATED):
        raise click.UsageError(
            f"`--methods` should name one of {' and '.join(ABLATED)} here, or be left "
            f"out for the first. Received: {methods}."
        )
    [method] = _methods(methods or ABLATED[0])
    _show(run(cells, _setting(cells, dataset), method, seeds))


@experiment.command("slices")
@with_options
def slices(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """Table 3 by the number of training likes of user and video."""
    from uvcan_tf.experiments.slices import run

    run(cells, _setting(cells, dataset), _methods(methods), seeds)
    _show(cells.results / "slices.md")


@experiment.command("cold")
@with_options
def cold(cells: Any, dataset: Any, methods: str | None, seeds: list[int]) -> None:
    """Users, then videos, that are held out entirely."""
    from uvcan_tf.experiments.choice import chosen
    from uvcan_tf.experiments.methods import cold_methods
    from uvcan_tf.experiments.setting import new_users_setting, new_videos_setting
    from uvcan_tf.experiments.table3 import run

    some = chosen(methods, cold_methods(dataset.features))
    for make in (new_users_setting, new_videos_setting):
        setting = make(dataset, cells.evaluation, cells.validation_users)
        run(cells, setting, some, seeds)
        _show(cells.results / f"{setting.name}.md")


@experiment.command("likes-given")
@with_options
def likes_given(
    cells: Any, dataset: Any, methods: str | None, seeds: list[int]
) -> None:
    """Users that are held out entirely, by the number of likes they give."""
    from uvcan_tf.experiments.choice import chosen
    from uvcan_tf.experiments.likes_given import run
    from uvcan_tf.experiments.methods import OF_LIKES

    some = chosen(methods, OF_LIKES)
    run(cells, _setting(cells, dataset), dataset, some, seeds)
    _show(cells.results / "likes-given.md")


@experiment.command("planted")
@click.option("--preset", default="tiny", show_default=True, help="Size of the worlds.")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--out", type=FOLDER, default=Path("results"), show_default=True)
def planted(preset: str, seeds: int, out: Path) -> None:
    """Planted against learned attention, on made-up worlds."""
    from uvcan_tf.data.sources.synthetic import PRESETS
    from uvcan_tf.experiments.planted_attention import run

    if preset not in PRESETS:
        raise click.UsageError(
            f"`--preset` should be one of {', '.join(PRESETS)}. Received: {preset}."
        )
    path = out / preset / "planted_attention.json"
    make_folder(path.parent)
    run(preset, range(1, seeds + 1), path, click.echo)
    _show(path)


@experiment.command("report")
@click.option("--out", type=FOLDER, default=Path("results"), show_default=True)
def report(out: Path) -> None:
    """Put README.md of the results' folder together."""
    from uvcan_tf.experiments.report import write

    click.echo(write(out))


def _show(path: Path) -> None:
    click.echo(path.read_text(encoding="utf-8"))

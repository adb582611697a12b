"""Command line: `run`, and one command for each of the longer measurements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from benchmarks import results
from benchmarks.results import Figure, Figures
from uvcan_tf.terminal.quiet import quiet, quiet_xla

KEPT = Path(__file__).parent.parent / "results" / "benchmarks.json"
STAGES = (
    *("training", "history", "board", "sampling", "requests", "ranking", "imports"),
    "pipeline",
)
SIZES = ("base", "likes_x10", "likes_x100")
_WIDTH = 120
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    help="Folder of bench.json and scratch files.",
)
_KEEP = click.option("--keep", is_flag=True, help="Update the results kept here.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """How fast everything is, beside references measured in the same run."""


@main.command()
@_OUT
@_KEEP
@click.option("--only", type=click.Choice(STAGES), multiple=True, help="Some stages.")
def run(out: Path, keep: bool, only: tuple[str, ...]) -> None:
    """Training, sampling, whole catalogues and the pipeline at Toffee_b's size."""
    quiet()
    quiet_xla()
    _finish(_stages(out, only or STAGES), out, keep)


@main.command("days")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/days"),
    show_default=True,
    help="Folder, emptied first.",
)
def days_command(out: Path) -> None:
    """Three days with a warm start and from scratch, then a broken one: minutes."""
    quiet()
    from rich.console import Console

    from benchmarks import days

    days.measure(out, Console(width=_WIDTH, highlight=False))


@main.command("visual")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=KEPT.parent / "visual" / "figures.json",
    help="File of the figures.  [default: results/visual/figures.json]",
)
def visual_command(out: Path) -> None:
    """Clips of every kind to frames, and what decoding and embedding cost."""
    quiet()
    from benchmarks import visual

    found = visual.measure(Path("build/visual"))
    visual.write(found, out)
    click.echo(out.read_text())


@main.command()
@_OUT
@_KEEP
@click.option(
    "--python",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="Interpreter of the environment with RecBole.",
)
def peers(out: Path, keep: bool, python: Path) -> None:
    """RecBole's NeuMF beside our training step, in turn, in the same run."""
    quiet()
    quiet_xla()
    from benchmarks import peers, world

    _finish(peers.measure(world.dataset(world.TOFFEE_B), python), out, keep)


@main.command()
@_OUT
@_KEEP
def growth(out: Path, keep: bool) -> None:
    """10 and 100 times the likes, and a million videos; memory beside a formula."""
    quiet()
    from benchmarks import growth

    _finish((growth.measure(name) for name in growth.WORLDS), out, keep)


@main.command("devices")
@_OUT
def devices_command(out: Path) -> None:
    """A GPU beside the CPU of the same machine."""
    quiet()
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        raise click.ClickException(
            "TensorFlow should find a GPU here. Received: none. Install CUDA "
            "(`pip install tensorflow[and-cuda]`), or leave this measurement out."
        )
    from benchmarks import devices

    _finish(iter([devices.measure()]), out, False)


@main.command("workers")
@_OUT
@_KEEP
def workers_command(out: Path, keep: bool) -> None:
    """Two workers that train one model, each on its core, beside one."""
    quiet()
    from benchmarks import workers

    _finish(iter([workers.measure()]), out, keep)


@main.command("shards")
@_OUT
@_KEEP
@click.option("--only", type=click.Choice(SIZES), multiple=True, help="Some sizes.")
def shards_command(out: Path, keep: bool, only: tuple[str, ...]) -> None:
    """ExampleGen in one process, and in shards of users on one and two workers."""
    quiet()
    from benchmarks import shards

    sizes = only or SIZES
    stages = (shards.measure(out / "shards", size) for size in sizes)
    _finish(itertools.chain.from_iterable(stages), out, keep)


@main.command("two-stage")
@_OUT
@_KEEP
@click.option(
    "--tables",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="To train on.",
)
def two_stage(out: Path, keep: bool, tables: Path) -> None:
    """How much of the exact answer two-stage recommendation finds."""
    quiet()
    quiet_xla()
    from benchmarks import two_stage
    from uvcan_tf.errors import DataError

    try:
        figures = two_stage.measure_recall(tables)
    except DataError as error:
        raise click.ClickException(str(error)) from None
    _finish(iter([figures]), out, keep)


def _stages(out: Path, wanted: tuple[str, ...]) -> Iterator[Figures]:
    from benchmarks import (
        board,
        catalogue,
        history,
        machine,
        pipeline,
        sampling,
        training,
        world,
    )

    rates = machine.measure()
    yield rates.figures()
    toffee_b = world.dataset(world.TOFFEE_B)
    found: dict[str, Figure] = {}

    def draws() -> Figures:
        settings = training.config()
        step = found.get("train_examples_per_s")
        rate = step.value if step else training.examples_per_s(toffee_b, settings)
        return sampling.measure(toffee_b, settings, rate)

    def requests() -> Figures:
        return catalogue.measure_requests(world.dataset(world.TOFFEE_A), rates)

    stages: dict[str, Callable[[], Figures]] = {
        "training": lambda: training.measure(toffee_b, rates),
        "history": lambda: history.measure(toffee_b, world.dataset(world.TOFFEE_A)),
        "board": lambda: board.measure(toffee_b, out / "board"),
        "sampling": draws,
        "requests": requests,
        "ranking": lambda: catalogue.measure_ranking(toffee_b, rates),
        "imports": pipeline.measure_imports,
        "pipeline": lambda: pipeline.measure(out / "bench"),
    }
    for name, measure in stages.items():
        if name in wanted:
            figures = measure()
            found.update(figures)
            yield figures


def _finish(stages: Iterator[Figures], out: Path, keep: bool) -> None:
    """Shows the figures as they come, and writes them."""
    from rich.console import Console

    console = Console(width=_WIDTH)
    kept = results.read(KEPT)
    every: dict[str, Figure] = {}
    for figures in stages:
        every.update(figures)
        console.print(f"{', '.join(figures)} measured.", highlight=False)
        results.write(out / "bench.json", figures)
    results.show(every, kept, console)
    if keep:
        results.write(KEPT, every)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")

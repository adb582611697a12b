"""The options that all experiments share, and what they open."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from uvcan_tf.errors import ConfigError
from uvcan_tf.evaluation_settings import LAST, RANDOM, TIME, EvaluationConfig
from uvcan_tf.terminal.quiet import quiet_xla

_SKIPPED_LAST: Final = {"known": None, "all": True, "none": False}
FOLDER = click.Path(path_type=Path, file_okay=False)
_OPTIONS = (
    click.option("--data", "folder", type=FOLDER, required=True, help="The tables."),
    click.option("--name", help="Of the results' folder; else that of --data."),
    click.option("--methods", help="Some methods only, separated by commas."),
    click.option("--seeds", default="1,2,3", show_default=True),
    click.option(
        "--split",
        type=click.Choice([RANDOM, TIME, LAST]),
        default=RANDOM,
        show_default=True,
        help="How the test pairs are chosen; the last two need timestamps.",
    ),
    click.option(
        "--skipped-last",
        type=click.Choice(list(_SKIPPED_LAST)),
        default="known",
        show_default=True,
        help="Whose skipped impressions rank last: of methods that learn from them, "
        "of all, or of none.",
    ),
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
        help="Of neural methods, in likes; by default by the number of likes. The "
        "presets history and best keep their own.",
    ),
    click.option(
        "--work",
        type=FOLDER,
        default=Path("build/experiments"),
        show_default=True,
        help="Ranks and trials, from which a killed run goes on.",
    ),
    click.option(
        "--out",
        type=FOLDER,
        default=Path("results"),
        show_default=True,
        help="Settings, tables and plots.",
    ),
)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of all experiments."""

    @functools.wraps(command)
    def with_cells(**options: Any) -> None:
        command(*_open(**options))

    for option in reversed(_OPTIONS):
        with_cells = option(with_cells)
    return with_cells


def _open(
    folder: Path,
    name: str | None,
    methods: str | None,
    seeds: str,
    split: str,
    skipped_last: str,
    batch_size: int | None,
    **options: Any,
) -> tuple[Any, Any, str | None, list[int]]:
    """The cells, the dataset, the methods' names and the seeds of one command."""
    from uvcan_tf import features as names
    from uvcan_tf.data.encode_tables import encode_tables
    from uvcan_tf.data.tables import read_tables
    from uvcan_tf.experiments.cells import Cells

    numbers = _ints(seeds)
    evaluation = EvaluationConfig(
        split=split, skipped_impressions_last=_SKIPPED_LAST[skipped_last]
    )
    features = names.of_folder(folder)
    dataset = encode_tables(read_tables(folder, features), features, evaluation)
    cells = Cells(
        name=name or folder.resolve().name,
        command=_command(),
        evaluation=evaluation,
        batch_size=batch_size or batch_size_for(len(dataset.train)),
        say=lambda sentence: click.echo(sentence, err=True),
        **options,
    )
    quiet_xla()
    return cells, dataset, methods, numbers


def _ints(seeds: str) -> list[int]:
    try:
        return [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise ConfigError(
            f"`--seeds` should be ints separated by commas. Received: {seeds!r}."
        ) from None


def batch_size_for(likes: int) -> int:
    """A power of two from 64 to 2,048 that leaves at least 256 steps an epoch.

    2,048 of 180,000 likes are 88 steps, after which NCF is still where popularity is.

    >>> batch_size_for(180_000), batch_size_for(8_000), batch_size_for(3_000_000)
    (512, 64, 2048)
    """
    return min(2048, max(64, 1 << max(0, (likes // 256).bit_length() - 1)))


def _command() -> str:
    """The command as it was given; of absolute paths, only the last part."""
    words = [Path(w).name if w.startswith("/") else w for w in sys.argv[1:]]
    return f"python -m uvcan_tf {shlex.join(words)}"

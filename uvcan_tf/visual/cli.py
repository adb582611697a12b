"""`python -m uvcan_tf data visual`: a vector of each video, from its file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from uvcan_tf import config as settings
from uvcan_tf.config import Config
from uvcan_tf.errors import UvcanError
from uvcan_tf.features import VISUAL
from uvcan_tf.terminal import lost_files
from uvcan_tf.visual.pca import file_of
from uvcan_tf.visual.pipeline import local_runner
from uvcan_tf.visual.run import Done, Job, run
from uvcan_tf.visual.weights import download

__all__ = ["command"]

#: Of a run that left a video without a vector because its file is broken.
_SOME_BROKEN = 2

_folder = click.Path(file_okay=False, path_type=Path)
_file = click.Path(dir_okay=False, path_type=Path)


@click.command(VISUAL)
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of files named by video_id, or a table of video_id and path.",
)
@click.option("--tables", type=_folder, required=True, help="Folder of the tables.")
@click.option(
    "--weights",
    type=_file,
    help="Of Keras' Inception-v3, .h5 or .keras.  [default: downloaded by Keras]",
)
@click.option(
    "--frames",
    type=_folder,
    help="Where activations of frames are kept.  [default: TABLES-frames]",
)
@click.option("--column", default=VISUAL, show_default=True, help="Of the vectors.")
@click.option(
    "--components",
    type=click.IntRange(min=1),
    help="Length of a vector.  [default: as declared, else 1024; fewer of few frames]",
)
@click.option("--refit", is_flag=True, help="Fit the PCA anew, without decoding again.")
@click.option(
    "--config", type=_file, help="Whose `evaluation` tells which videos are trained on."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes on this machine.",
)
@click.option("--beam-arg", "beam_args", multiple=True, help="Of another Beam runner.")
def command(
    tables: Path,
    weights: Path | None,
    frames: Path | None,
    config: Path | None,
    workers: int,
    beam_args: tuple[str, ...],
    **asked: Any,
) -> None:
    """Vectors of videos, written beside the tables that training reads.

    One frame a second, Inception-v3's last hidden layer, PCA with whitening, and the
    mean over a video's frames. A second run embeds new and changed files only.
    """
    try:
        job = Job(
            tables=tables,
            weights=weights or download(),
            frames=frames or tables.with_name(f"{tables.name}-frames"),
            evaluation=(settings.load(config) if config else Config()).evaluation,
            beam_args=beam_args or local_runner(workers),
            **asked,
        )
        done = run(job)
    except UvcanError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(lost_files.sentence(error)) from None
    _say(done, job)
    sys.exit(_SOME_BROKEN if done.broken else 0)


def _say(done: Done, job: Job) -> None:
    click.echo(
        f"{done.with_vector:,} of {done.videos:,} videos have a vector of "
        f"{done.pca.length} numbers: {done.file}"
    )
    click.echo(
        f"PCA {'fitted now' if done.fitted else 'as fitted before'}, on "
        f"{done.pca.frames:,} frames of training videos: "
        f"{file_of(job.tables, job.column)}"
    )
    if done.without_file:
        click.echo(f"Note: {done.without_file:,} videos of the tables have no file.")
    for reason in done.damaged:
        click.echo(f"Note: {reason}")
    if done.broken:
        click.echo(
            f"{len(done.broken):,} files are broken; their videos have no vector:"
        )
    for reason in done.broken:
        click.echo(f"  {reason}")

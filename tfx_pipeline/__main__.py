"""Command line: `run`, `compile` and `schema`; `looking.py` has what only looks.

TFX takes seconds to import, so nothing here imports it before the arguments are
checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tfx_pipeline import config as settings
from tfx_pipeline import looking
from tfx_pipeline.platforms import settings as platforms
from tfx_pipeline.platforms.settings import KUBEFLOW, PLATFORMS
from tfx_pipeline.quick_imports import quick_imports
from tfx_pipeline.sentences import one_sentence
from uvcan_tf import config as uvcan_config
from uvcan_tf import features as names
from uvcan_tf.config import Config
from uvcan_tf.errors import ConfigError
from uvcan_tf.terminal.device import device_option
from uvcan_tf.terminal.quiet import quiet

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


# What `run` and `compile` share.
_LEAST = click.option(
    "--min-hit-rate",
    type=float,
    help="HR@10 to reach. [default: 0.05, or a fifth above chance]",
)
_TOLERANCE = click.option(
    "--tolerance",
    default=0.01,
    show_default=True,
    help="How far HR@10 may fall below the last blessed model's.",
)
_DRIFT = click.option(
    "--drift",
    type=click.Choice(settings.REACTIONS),
    default=settings.STOP,
    show_default=True,
    help="Where the tables changed too much since the last run.",
)
_CONFIG = click.option(
    "--config", type=FILE, help="Hyper-parameters, JSON. [default: built in]"
)
_DAYS = click.option(
    "--days",
    default="",
    help="Of interactions: the last N, or FIRST:LAST. [default: all]",
)
_WARM = click.option(
    "--warm-start", is_flag=True, help="Begin with the last blessed model."
)
_TUNE = click.option("--tune", is_flag=True, help="Search the paper's grid first.")
_INFER = click.option("--bulk-infer", is_flag=True, help="Score the held-out pairs.")
_BEAM = click.option(
    "--beam-arg", "beam_args", multiple=True, help="Of another Beam runner."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@device_option
def main() -> None:
    """Three raw tables in, a blessed and pushed SavedModel out."""


@main.command()
@click.option("--data", type=FOLDER, required=True, help="The three tables.")
@click.option("--root", type=FOLDER, required=True, help="Everything is written here.")
@_DAYS
@_CONFIG
@_LEAST
@_TOLERANCE
@_DRIFT
@click.option(
    "--requests",
    type=FOLDER,
    help="A table `users` with a row for each request, to compare with.",
)
@click.option(
    "--skew",
    type=click.Choice(settings.REACTIONS),
    default=settings.STOP,
    show_default=True,
    help="Where requests tell other things than the tables.",
)
@_WARM
@_TUNE
@click.option("--check-serving", is_flag=True, help="Load in a model server (Docker).")
@_INFER
@_BEAM
def run(data: Path, root: Path, config: Path | None, **switches: Any) -> None:
    """Run the pipeline on this machine; unchanged parts come from the cache."""
    with one_sentence():
        if not data.is_dir():
            raise ConfigError(f"--data {data} should be a folder. It does not exist.")
        pipeline = settings.local(data, root, _hyper_parameters(config), **switches)
    quiet()
    with quick_imports():
        from tfx_pipeline import console

    succeeded = console.run(pipeline)
    console.leave(0 if succeeded else 1)


@main.command("compile")
@click.option(
    "--platform",
    type=click.Choice(PLATFORMS),
    default=KUBEFLOW,
    show_default=True,
    help="Kubeflow Pipelines v2 or Vertex AI.",
)
@click.option("--out", type=FILE, required=True, help="YAML; of Vertex AI, JSON.")
@click.option(
    "--data",
    default="/mnt/uvcan/tables",
    show_default=True,
    help="Folder or address of the tables, as the cluster sees it.",
)
@click.option(
    "--root",
    default="/mnt/uvcan/pipeline",
    show_default=True,
    help="Folder or address of what is written.",
)
@click.option("--features", type=FILE, help="Declaration. [default: the paper's]")
@_DAYS
@_CONFIG
@click.option("--image", default="uvcan-tf", show_default=True, help="Of this project.")
@click.option("--steps", type=FILE, help="Machines, retries, volume: docs/kubeflow.md.")
@_LEAST
@_TOLERANCE
@_DRIFT
@_WARM
@_TUNE
@_INFER
@_BEAM
def compile_command(
    platform: str,
    out: Path,
    features: Path | None,
    config: Path | None,
    image: str,
    steps: Path | None,
    **switches: Any,
) -> None:
    """Write the same pipeline for Kubeflow Pipelines or Vertex AI."""
    with one_sentence():
        known = platforms.load(steps, platform=platform, image=image)
        pipeline = settings.PipelineConfig(
            features=names.load(features) if features else names.PAPER,
            config=_hyper_parameters(config),
            **switches,
        )
        if not out.parent.is_dir():
            raise ConfigError(f"--out {out}: the folder {out.parent} does not exist.")
        quiet()
        with quick_imports():
            from tfx_pipeline.platforms import compile as compiler

        compiler.compile_pipeline(pipeline, out, known)
    click.echo(f"Wrote {out}.")


@main.command()
@click.option("--features", type=FILE, help="Declaration. [default: the paper's]")
@click.option("--out", type=FOLDER, required=True, help="Folder of the .pbtxt files.")
def schema(features: Path | None, out: Path) -> None:
    """Write the three tables' schemas for review."""
    with one_sentence():
        declaration = names.load(features) if features else names.PAPER
    quiet()
    with quick_imports():
        from tfx_pipeline.schema import write

    for path in write(declaration, out):
        click.echo(path)


def _hyper_parameters(file: Path | None) -> Config:
    return uvcan_config.load(file) if file else Config()


for _command in (
    looking.explain,
    looking.lineage,
    looking.report,
    looking.show,
    looking.tensorboard,
):
    main.add_command(_command)


if __name__ == "__main__":
    main(prog_name="python -m tfx_pipeline")

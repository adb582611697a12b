"""The command `uvcan`, which is also `python -m uvcan_tf`.

The words `serving` and `tfx_pipeline` are names to import when asked for: the library
stands below both and imports neither.
"""

from __future__ import annotations

import sys
from typing import Final

import click

from uvcan_tf import __version__
from uvcan_tf.terminal import lost_files, quiet
from uvcan_tf.terminal.device import device_option
from uvcan_tf.terminal.lazy_group import Lazy, LazyGroup

_COMMANDS: Final = {
    "data": Lazy(
        "uvcan_tf.data.cli:data", "Make the three tables, or check them.", "tf"
    ),
    "train": Lazy("uvcan_tf.cli:train", "Train, measure and export a model.", "tf"),
    "evaluate": Lazy("uvcan_tf.cli:evaluate", "Measure an exported model.", "tf"),
    "experiment": Lazy(
        "uvcan_tf.experiments.cli:experiment",
        "Make the paper's tables and figures.",
        "experiments",
    ),
    "pipeline": Lazy(
        "tfx_pipeline.__main__:main", "Run or compile the TFX pipeline.", "pipeline"
    ),
    "serve": Lazy("serving.serve:serve", "Serve models as TF Serving does.", "serve"),
    "recommend": Lazy(
        "serving.cli:main/recommend", "Ask a server for a user's best videos.", "serve"
    ),
    "rank": Lazy("serving.cli:main/rank", "Ask a server to rank videos.", "serve"),
    "explain": Lazy(
        "serving.cli:main/explain", "Ask a server why a video got its score.", "serve"
    ),
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="uvcan")
@device_option
def group() -> None:
    """Recommends videos by co-attention: tables, training, evaluation, serving."""


def main() -> None:
    """Runs a command; a known mistake is one sentence and exit status 1."""
    quiet.quiet()
    try:
        group(prog_name="uvcan")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        click.echo(f"Error: {lost_files.sentence(error)}", err=True)
        sys.exit(1)
    except (ValueError, RuntimeError) as error:
        if type(error).__module__.split(".")[0] != "uvcan_tf":
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Opens TensorBoard on all training runs of a root, side by side."""

from __future__ import annotations

import warnings
from pathlib import Path

import tensorflow as tf

from tfx_pipeline.runs import TENSORBOARD
from uvcan_tf.errors import ConfigError


def serve(root: Path, host: str, port: int) -> None:
    """Serves until a person stops it.

    Raises:
      ConfigError: no model was trained under the root yet.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorBoard imports pkg_resources
        from tensorboard import default, program
    folder = root / TENSORBOARD
    if not folder.is_dir():
        raise ConfigError(
            f"--root {root} should be the root of a pipeline that has trained a model. "
            f"Received: a folder without {TENSORBOARD}/ in it. Run the pipeline first."
        )
    board = program.TensorBoard(plugins=default.get_plugins())
    board.configure(
        [None, "--logdir", str(folder), "--host", host, "--port", str(port)]
    )
    if board.main():  # it has said why
        raise SystemExit(1)


def write_evaluation(slices: dict[str, dict[str, float]], folder: Path) -> None:
    """Adds the Evaluator's figures to a training run's, a tag a metric and a slice."""
    if not folder.is_dir():  # the model of an earlier run was evaluated
        return
    writer = tf.summary.create_file_writer(str(folder), filename_suffix=".evaluation")
    with writer.as_default(step=0):
        for name, metrics in slices.items():
            for metric, value in metrics.items():
                tf.summary.scalar(f"evaluation/{metric}/{name}", value)
    writer.close()

"""Trainer's entry point. TFX reloads this module, so it holds functions only."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tfx_pipeline import model_card, runs
from tfx_pipeline.addresses import delivered, fetched, is_local
from tfx_pipeline.config import (
    CHECKPOINTS,
    CHECKPOINTS_KEY,
    CONFIG_KEY,
    EXPORTED_BY,
    FEATURES_KEY,
    PCAS_KEY,
)
from tfx_pipeline.snapshot import TRAINED_ON
from tfx_pipeline.transformed import TransformLayer, read_dataset
from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.errors import TrainingError
from uvcan_tf.features import Features
from uvcan_tf.json_files import read_json
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.saved_model.export import export
from uvcan_tf.search_spaces import tuned
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import fit
from uvcan_tf.visual.pca import Pca, load_all


def run_fn(fn_args: FnArgs) -> None:
    """Load, data, fit, export: from examples to a SavedModel."""
    features, config = load(fn_args)
    team = Team(config.training)  # before TensorFlow is used
    pcas = of_vectors(fn_args, features)
    dataset = data(fn_args, features)
    kept = checkpoints(fn_args)
    logs = None if kept is None else runs.training_logs(kept.parents[1], kept)
    with (
        delivered(fn_args.model_run_dir) as run,
        tempfile.TemporaryDirectory() as scratch,
    ):
        start = fetched(fn_args.base_model, scratch) if fn_args.base_model else None

        def fitted(folder: Path) -> UVCAN:
            return fit(dataset, config, folder, say, logs=logs, team=team, start=start)

        model = train(fitted, kept or run, run, team)
        if not team.is_chief:
            return
        training = read_json(run / "training.json", TrainingError)
    with delivered(fn_args.serving_model_dir) as folder:
        transform = TransformLayer(_transform_output(fn_args))
        export(model, dataset, transform, config, folder, pcas)
        model_card.write_made_of(dataset, config, training, folder)
        if found := candidate_recall.read(folder):
            say(candidate_recall.sentence(found))
    if kept is not None:
        execution = Path(fn_args.serving_model_dir).parent.name
        (kept / EXPORTED_BY).write_text(execution, encoding="ascii")


def load(fn_args: FnArgs) -> tuple[Features, Config]:
    """The declaration and the settings, with the Tuner's findings put in."""
    content = fn_args.custom_config
    features = names.from_json(json.loads(content[FEATURES_KEY]))
    config = settings.from_json(json.loads(content[CONFIG_KEY]))
    return features, tuned(config, (fn_args.hyperparameters or {}).get("values", {}))


def of_vectors(fn_args: FnArgs, features: Features) -> dict[str, Pca]:
    """The PCAs that lay beside the tables, by the vectors they have made."""
    listed = json.loads(fn_args.custom_config.get(PCAS_KEY, "[]"))
    return load_all({name: Path(path) for name, path, _ in listed}, features)


def data(fn_args: FnArgs, features: Features) -> Dataset:
    """The transformed tables and training pairs in memory."""
    patterns = dict(zip(TRAINED_ON, fn_args.train_files, strict=True))
    return read_dataset(patterns, _transform_output(fn_args), features)


def train(
    fitted: Callable[[Path], UVCAN], folder: Path, run: Path, team: Team
) -> UVCAN:
    """Fits in `folder`, which a killed run finds again, then copies its files to `run`.

    The checkpoints stay in `folder` until the model is published; see `mending`.
    """
    model = fitted(folder)
    if folder != run and team.is_chief:
        unused = shutil.ignore_patterns(CHECKPOINTS)
        shutil.copytree(folder, run, ignore=unused, dirs_exist_ok=True)
    return model


def checkpoints(fn_args: FnArgs) -> Path | None:
    """A folder named after the inputs: TFX gives each execution a fresh one."""
    if not is_local(fn_args.custom_config[CHECKPOINTS_KEY]):
        return None
    inputs = [
        fn_args.transform_graph_path,
        *fn_args.train_files,
        json.dumps(fn_args.custom_config, sort_keys=True),
        json.dumps(fn_args.hyperparameters, sort_keys=True),
        *([fn_args.base_model] if fn_args.base_model else []),
    ]
    name = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    folder = Path(fn_args.custom_config[CHECKPOINTS_KEY]) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _transform_output(fn_args: FnArgs) -> tft.TFTransformOutput:
    return tft.TFTransformOutput(fn_args.transform_graph_path)


def say(sentence: str) -> None:
    """A line on standard error, under the name of the component."""
    click.echo(f"  {sentence}", err=True)

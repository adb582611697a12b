"""The whole pipeline on a tiny world: nothing is replaced, only the data is small."""

import collections
import dataclasses
import glob
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from serving.server.savedmodel import SavedModel
from serving.server.warmup import FILE, warm_up
from tests.tfx_pipeline.worlds import (
    DIMENSION,
    FEATURES,
    USERS,
    VIDEOS,
    write_world,
)
from tfx_pipeline import config as settings
from tfx_pipeline import local, report, snapshot
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.report import Report
from tfx_pipeline.timings import Timing
from tfx_pipeline.transformed import read_dataset
from uvcan_tf import config as uvcan_config
from uvcan_tf import features as names
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables, write_tables
from uvcan_tf.visual.pca import file_of, load
from uvcan_tf.visual.pca import fit as fit_pca

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SETTINGS = {
    "model": {"factors": 8, "hops": 1, "initial_stddev": 0.3},
    "training": {"learning_rate": 0.03, "epochs": 5, "batch_size": 16},
    "evaluation": {"sampled_negatives": 20},
}


def _config(folder: Path, **training: object) -> PipelineConfig:
    content = {**SETTINGS, "training": {**SETTINGS["training"], **training}}
    return settings.local(
        folder / "data",
        folder / "root",
        uvcan_config.from_json(content),
        min_hit_rate=0.3,
    )


@dataclasses.dataclass(frozen=True)
class Finished:
    folder: Path
    config: PipelineConfig
    timings: list[Timing]
    report: Report


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    folder = tmp_path_factory.mktemp("pipeline")
    write_world(folder / "data")
    activations = np.random.default_rng(0).normal(size=(50, 11))
    fit_pca([activations], DIMENSION).save(file_of(folder / "data", names.VISUAL))
    config = _config(folder)
    timings = local.run(config)
    yield Finished(folder, config, timings, report.read(config))


def _only(pattern: Path) -> str:
    (path,) = glob.glob(str(pattern))
    return path


def _serialized(finished: Finished, split: str) -> list[bytes]:
    folder = finished.folder / "root/FileBasedExampleGen/examples/*"
    files = glob.glob(f"{_only(folder)}/Split-{split}/*")
    records = tf.data.TFRecordDataset(files, "GZIP")
    return list(records.as_numpy_iterator())


def test_a_good_model_is_blessed_and_pushed(finished: Finished) -> None:
    assert finished.report.blessed
    assert finished.report.slices["overall"]["hr_at_10"] > 0.8
    assert finished.report.pushed is not None
    assert tf.saved_model.contains_saved_model(str(finished.report.pushed))


def test_every_warm_up_request_of_the_pushed_model_succeeds(
    finished: Finished,
) -> None:
    pushed = finished.report.pushed
    assert pushed is not None
    assert (pushed / FILE).is_file()
    warm_up(SavedModel(pushed), pushed)  # raises where a request fails


def test_the_pushed_model_has_the_pca_that_lay_beside_the_tables(
    finished: Finished,
) -> None:
    model = tf.saved_model.load(str(finished.report.pushed))
    pca = load(file_of(finished.folder / "data", names.VISUAL))
    mean = np.random.default_rng(1).normal(size=(2, 11)).astype(np.float32)
    found = model.signatures["visual_vector"](mean=tf.constant(mean))[names.VISUAL]
    np.testing.assert_allclose(found, pca(mean), atol=1e-5)


def test_every_row_of_the_tables_is_in_a_split(finished: Finished) -> None:
    splits = (names.TRAIN, names.EVAL, names.USERS, names.VIDEOS)
    counts = {split: len(_serialized(finished, split)) for split in splits}
    assert counts == {
        names.TRAIN: USERS * (10 + 2),
        names.EVAL: USERS * 2,
        names.USERS: USERS,
        names.VIDEOS: VIDEOS,
    }


def test_the_figures_are_the_means_of_the_models_own_rows(finished: Finished) -> None:
    rows = _serialized(finished, names.EVAL)
    model = tf.saved_model.load(str(finished.report.pushed))
    outputs = model.signatures[names.EVALUATE](examples=tf.constant(rows))
    genders = collections.defaultdict(list)
    for position, row in enumerate(rows):
        values = tf.train.Example.FromString(row).features.feature["gender"]
        for value in values.bytes_list.value:
            genders[f"gender={value.decode()}"].append(position)
    for metric in ("hr_at_10", "ndcg_at_10", "auc"):
        values = outputs[metric].numpy()
        slices = finished.report.slices
        np.testing.assert_allclose(slices["overall"][metric], values.mean(), atol=1e-6)
        for key, positions in genders.items():
            mean = values[positions].mean()
            np.testing.assert_allclose(slices[key][metric], mean, atol=1e-6)


def test_slices_cover_declared_features_and_popularity(finished: Finished) -> None:
    kinds = {key.split("=")[0] for key in finished.report.slices}
    assert kinds == {"overall", "gender", "location", names.POPULARITY}


def _by_name(dataset: Dataset) -> dict[str, dict[str, object]]:
    """Each row's features in words, whatever the order of the vocabularies."""
    rows: dict[str, dict[str, object]] = {}
    for side in (dataset.users, dataset.videos):
        for number, row_id in enumerate(side.ids, start=1):
            rows[row_id] = {
                name: _words(dataset, name, column[number])
                for name, column in side.columns.items()
            }
    return rows


def _words(dataset: Dataset, name: str, value: np.ndarray) -> object:
    if name not in dataset.vocabularies:
        return tuple(value.astype(float))
    numbers = [n for n in np.atleast_1d(value) if n]
    return sorted(dataset.vocabularies[name][n - 1] for n in numbers)


def _nearly(rows: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The same, equal to rows whose numbers were added up in another order."""
    return {
        row_id: {
            name: pytest.approx(value, abs=1e-5) if isinstance(value, tuple) else value
            for name, value in row.items()
        }
        for row_id, row in rows.items()
    }


def test_transform_encodes_as_the_library_does(finished: Finished) -> None:
    through_transform = _as_trained_on(finished)
    tables = read_tables(Path(finished.config.data), FEATURES)
    direct = encode_tables(tables, FEATURES, finished.config.config.evaluation)
    assert _by_name(through_transform) == _nearly(_by_name(direct))
    assert _pairs(through_transform) == _pairs(direct)


def test_interactions_hold_no_id_unknown_to_the_vocabularies(
    finished: Finished,
) -> None:
    dataset = _as_trained_on(finished)
    for pairs in (dataset.train, dataset.impressions):
        for side, rows in ((dataset.users, pairs.user), (dataset.videos, pairs.video)):
            assert 1 <= rows.min() <= rows.max() <= side.size


def _as_trained_on(finished: Finished) -> Dataset:
    root = finished.folder / "root"
    examples = _only(root / "FileBasedExampleGen/examples/*")
    patterns = {name: f"{examples}/Split-{name}/*" for name in snapshot.TRAINED_ON}
    output = tft.TFTransformOutput(_only(root / "Transform/transform_graph/*"))
    return read_dataset(patterns, output, FEATURES)


def _pairs(dataset: Dataset) -> tuple[set[tuple[str, str]], ...]:
    users, videos = dataset.users.ids, dataset.videos.ids
    return tuple(
        {(users[u - 1], videos[v - 1]) for u, v in zip(p.user, p.video, strict=True)}
        for p in (dataset.train, dataset.impressions)
    )


def test_a_second_run_takes_everything_from_the_cache(finished: Finished) -> None:
    timings = local.run(finished.config)
    worked = [timing.component for timing in timings if not timing.cached]
    assert worked == ["LatestBlessedModel"]
    assert sum(timing.wall_s for timing in timings) < 10


def test_timings_of_the_last_run_are_on_disk(finished: Finished) -> None:
    content = json.loads((finished.folder / "root/timings.json").read_text())
    assert {"Trainer", "Evaluator"} <= {entry["component"] for entry in content}
    assert all(entry["peak_mb"] > 0 for entry in content)


def test_a_broken_model_is_not_pushed_and_the_old_one_stays(finished: Finished) -> None:
    broken = _config(finished.folder, learning_rate=1e-8, epochs=1)
    local.run(broken)
    found = report.read(broken)
    assert not found.blessed
    assert found.pushed == finished.report.pushed
    assert any("below the last blessed" in reason for reason in found.reasons)


def test_a_killed_training_resumes_at_its_checkpoint(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    training = {"epochs": 12, "patience": 12, "seed": 2}
    config = _config(finished.folder, **training)
    file = finished.folder / "config.json"
    file.write_text(json.dumps(config.config.to_json()))
    command = ["run", "--data", config.data, "--root", config.root]
    arguments = [*command, "--config", str(file), "--min-hit-rate", "0.3"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tfx_pipeline", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pattern = f"{config.root}/checkpoints/*/checkpoints/checkpoint"
    _wait_for(pattern, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    local.run(config)
    assert "Training resumes after epoch" in capfd.readouterr().err
    assert not os.listdir(f"{config.root}/checkpoints")


def _wait_for(pattern: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while not glob.glob(pattern):
        assert process.poll() is None, "it ended before its first checkpoint"
        assert time.monotonic() < until, f"no {pattern}"
        time.sleep(0.05)


def test_a_column_that_is_empty_throughout_does_not_stop_a_run(tmp_path: Path) -> None:
    write_world(tmp_path / "whole")
    tables = read_tables(tmp_path / "whole", FEATURES)
    column = tables.users.column_names.index("location")
    nothing = pa.nulls(USERS, pa.string())
    users = tables.users.set_column(column, "location", nothing)
    emptied = dataclasses.replace(tables, users=users)
    write_tables(tmp_path / "data", emptied, FEATURES)
    local.run(_config(tmp_path))
    assert (tmp_path / "root" / "Evaluator").exists()

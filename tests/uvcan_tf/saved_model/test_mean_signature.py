"""A SavedModel makes vectors of new videos as the tables' vectors were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests import worlds
from uvcan_tf.feature_kinds import MEAN
from uvcan_tf.features import SCORE, SERVING_DEFAULT, VIDEO_ID
from uvcan_tf.saved_model.export import export
from uvcan_tf.saved_model.warm_up import WARM_UP_FILE
from uvcan_tf.training.fit import fit
from uvcan_tf.visual.pca import Pca
from uvcan_tf.visual.pca import fit as fit_pca

WIDTH, SIGNATURE = 7, "look_vector"


def activations(frames: int = 13) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.abs(random.normal(size=(frames, WIDTH))).astype(np.float32)


@pytest.fixture(scope="module")
def pca() -> Pca:
    return fit_pca([activations()], 3)


@pytest.fixture(scope="module")
def folder(pca: Pca, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "1"
    dataset, config = worlds.small(), worlds.SMALL_CONFIG
    model = fit(dataset, config)
    export(model, dataset, None, config, folder, {"look": pca})
    return folder


@pytest.fixture(scope="module")
def signatures(folder: Path) -> Any:
    model = tf.saved_model.load(str(folder))
    yield model.signatures


def test_a_mean_is_projected_as_its_frames_are(signatures: Any, pca: Pca) -> None:
    frames = activations()
    mean = tf.constant([frames.mean(axis=0), frames[:2].mean(axis=0)])
    found = signatures[SIGNATURE](**{MEAN: mean})["look"]
    expected = [pca(frames).mean(axis=0), pca(frames[:2]).mean(axis=0)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_new_video_is_scored_by_its_vector(signatures: Any, pca: Pca) -> None:
    """Two steps: the vector of the mean, then an example with the vector in it."""
    mean = tf.constant([activations()[:4].mean(axis=0)])
    vector = signatures[SIGNATURE](**{MEAN: mean})["look"].numpy()[0].tolist()
    user = worlds.USERS[0]
    known = pca(activations()[:4]).mean(axis=0).tolist()
    rows = [
        {**user, VIDEO_ID: "new", "author": "a1", "tags": None, "look": look}
        for look in (vector, known, [9.0, -9.0, 9.0])
    ]
    examples = tf.constant([worlds.example(row) for row in rows])
    scores = signatures[SERVING_DEFAULT](examples=examples)[SCORE].numpy()
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert scores[0] != pytest.approx(scores[2], abs=1e-6)


def test_a_server_warms_the_signature_up(folder: Path, pca: Pca) -> None:
    records = tf.data.TFRecordDataset(str(folder / WARM_UP_FILE))
    logs = [PredictionLog.FromString(record) for record in records.as_numpy_iterator()]
    requests = [log.predict_log.request for log in logs]
    [own] = [r for r in requests if r.model_spec.signature_name == SIGNATURE]
    np.testing.assert_array_equal(tf.make_ndarray(own.inputs[MEAN]), [pca.mean])


def test_without_a_pca_there_is_no_such_signature(tmp_path: Path) -> None:
    dataset, config = worlds.small(), worlds.SMALL_CONFIG
    export(fit(dataset, config), dataset, None, config, tmp_path / "1")
    assert SIGNATURE not in tf.saved_model.load(str(tmp_path / "1")).signatures

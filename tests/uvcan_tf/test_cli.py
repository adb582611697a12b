"""`train` and `evaluate` rank as every other place does, and say the same.

Shapes: B users, V videos.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.tfx_pipeline.worlds import write_world
from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.cli import evaluate, train
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.errors import DataError
from uvcan_tf.evaluation.ranking import rank_pairs
from uvcan_tf.evaluation.saved_scorer import CONFIG_FILE, SavedScorer

pytestmark = pytest.mark.slow
CONFIG = {
    "model": {"factors": 4, "hops": 1},
    "training": {"epochs": 1, "batch_size": 64, "softmax": True},
    "evaluation": {"sampled_negatives": 20, "cutoffs": [10]},
    "prior": {"factors": 3, "iterations": 2, "impression_weight": 0.5},
}


class ByHand:
    """A saved model's scores, with what was shown and not liked behind all others."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self._saved, self._dataset = SavedScorer(folder, dataset), dataset

    def scores(self, users: np.ndarray) -> np.ndarray:
        scores = self._saved.scores(users)
        for row, user in enumerate(users):
            shown = self._dataset.impressions
            for video in shown.video[shown.user == user]:
                scores[row, video - 1] = -1.0  # a score is a probability
        return scores


class Trained:
    """A world on disk, and the model that the command has made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.model = folder, folder / "out" / "model" / "1"
        write_world(folder / "data")
        (folder / "config.json").write_text(json.dumps(CONFIG))
        self.run(train, "--out", folder / "out", "--config", folder / "config.json")
        self.results = json.loads((folder / "out" / "results.json").read_text())

    def run(self, command: Any, *words: Any) -> None:
        arguments = [str(w) for w in ("--data", self.folder / "data", *words)]
        CliRunner().invoke(command, arguments, catch_exceptions=False)

    def evaluated(self, config: dict[str, Any]) -> Any:
        path = self.folder / "other.json"
        path.write_text(json.dumps(config))
        out = self.folder / "evaluated.json"
        words = ("--model", self.model, "--config", path, "--out", out)
        self.run(evaluate, *words)
        return json.loads(out.read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


def test_train_ranks_skipped_impressions_last(trained: Trained) -> None:
    data = trained.folder / "data"
    features = names.of_folder(data)
    config = settings.from_json(CONFIG)
    tables = read_tables(data, features)
    dataset = encode_tables(tables, features, config.evaluation)
    expected, plain = (
        rank_pairs(scorer, dataset, config.evaluation).summary((10,))
        for scorer in (
            ByHand(trained.model, dataset),
            SavedScorer(trained.model, dataset),
        )
    )
    for protocol, means in expected.items():
        found = trained.results["UVCAN"][protocol]
        assert found == pytest.approx(means, abs=1e-6)
        assert found["auc"] > plain[protocol]["auc"]


def test_evaluate_ranks_as_train_did_because_the_model_says_so(
    trained: Trained,
) -> None:
    protocol_alone = {"evaluation": CONFIG["evaluation"]}
    found = trained.evaluated(protocol_alone)
    for protocol, means in trained.results["UVCAN"].items():
        assert found["UVCAN"][protocol] == pytest.approx(means, abs=1e-6)
    assert found["ItemPop"] == trained.results["ItemPop"]


def test_every_method_ranks_them_alike_if_asked(trained: Trained) -> None:
    content = {"skipped_impressions_last": True}
    found = trained.evaluated({"evaluation": {**CONFIG["evaluation"], **content}})
    for protocol, means in trained.results["ItemPop"].items():
        assert found["ItemPop"][protocol]["auc"] > means["auc"]
    content = {"skipped_impressions_last": False}
    found = trained.evaluated({"evaluation": {**CONFIG["evaluation"], **content}})
    for protocol, means in trained.results["UVCAN"].items():
        assert found["UVCAN"][protocol]["auc"] < means["auc"]


def test_a_saved_model_spells_its_settings_out(trained: Trained) -> None:
    content = json.loads((trained.model / CONFIG_FILE).read_text())
    assert content["evaluation"]["skipped_impressions_last"] is True
    assert content["recommendation"] == {
        "without_skipped_impressions": True,
        "remembers_likes": True,
        "candidates": None,
        "device": "cpu",
    }
    assert content["prior"]["impression_weight"] == 0.5


def test_a_world_of_few_likes_is_refused_before_training(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    (data / "users.csv").write_text("user_id\nann\nbob\n")
    (data / "videos.csv").write_text("video_id\nv1\nv2\nv3\n")
    (data / "interactions.csv").write_text("user_id,video_id\nann,v1\nbob,v2\n")
    (data / "features.json").write_text('{"user": [], "video": []}')
    words = ["--data", str(data), "--out", str(out)]
    said = (
        "5 liked videos, .* none of 2 users; add likes, or raise `evaluation.held_out"
    )
    with pytest.raises(DataError, match=said):
        CliRunner().invoke(train, words, catch_exceptions=False)
    assert not out.exists()

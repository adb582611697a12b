"""A small run, as TensorBoard's own plug-ins tell it."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests import worlds
from tests.uvcan_tf.training.tensorboard.boards import Asked
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.training.fit import fit
from uvcan_tf.training.tensorboard.board import TAGS, Logs

EPOCHS, L2 = 3, 0.01
pytestmark = pytest.mark.slow


class Run(NamedTuple):
    """What is left of a run."""

    model: Any
    folder: Path
    told: list[str]
    training: dict[str, Any]
    board: Asked


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, told = tmp_path_factory.mktemp("run"), list[str]()
    settings = dataclasses.replace(
        worlds.SMALL_CONFIG.training, epochs=EPOCHS, l2=L2, validation_fraction=0.3
    )
    config = dataclasses.replace(worlds.SMALL_CONFIG, training=settings)
    dataset = worlds.small()
    features = dataclasses.replace(dataset.features, slices=("gender",))
    dataset = dataclasses.replace(dataset, features=features)
    logs = Logs(folder / "boards" / "run-1")
    model = fit(dataset, config, folder, told.append, logs=logs)
    training = json.loads((folder / "training.json").read_text())
    return Run(model, folder, told, training, Asked(folder / "boards"))


def test_every_scalar_has_a_step_per_epoch(run: Run) -> None:
    tags = run.board.get("plugin/scalars/tags")
    assert set(tags["run-1"]) == set(TAGS.values())
    for tag in TAGS.values():
        found = run.board.scalars("run-1", tag)
        assert list(found) == list(range(1, EPOCHS + 1)), tag
        assert np.isfinite(list(found.values())).all()


def test_the_figures_are_those_that_were_said(run: Run) -> None:
    losses = run.board.scalars("run-1", "training/loss")
    ndcg = run.board.scalars("run-1", "validation/ndcg@100")
    epochs = [sentence for sentence in run.told if sentence.startswith("Epoch")]
    for number, sentence in enumerate(epochs, start=1):
        assert f"loss {losses[number]:.4f}" in sentence
        assert f"NDCG@100 {ndcg[number]:.4f}" in sentence


def test_the_kept_epochs_figures_are_those_of_the_model(run: Run) -> None:
    model, best = run.model, run.training["best_epoch"]
    ranks = rank_pairs(model.scorer(), model.dataset, model.config.evaluation, (FULL,))
    means = ranks.summary((10, 100))[FULL]
    for name in ("hr@10", "ndcg@100", "mrr"):
        found = run.board.scalars("run-1", f"validation/{name}")[best]
        np.testing.assert_allclose(found, means[name], rtol=1e-6)


def test_the_norm_of_the_weights_is_that_of_the_model(run: Run) -> None:
    best = run.training["best_epoch"]
    flat = np.concatenate([w.numpy().ravel() for w in run.model.trainable_variables])
    found = run.board.scalars("run-1", "norms/weights")[best]
    np.testing.assert_allclose(found, np.linalg.norm(flat), rtol=1e-5)


@pytest.mark.parametrize("side", ["video_attention", "user_attention"])
def test_attention_is_an_image_per_epoch(run: Run, side: str) -> None:
    tag = f"attention/{side}"
    assert tag in run.board.get("plugin/images/tags")["run-1"]
    images = run.board.get("plugin/images/images", run="run-1", tag=tag, sample="0")
    assert [image["step"] for image in images] == [1, 2, 3]
    query = dict(pair.split("=") for pair in images[-1]["query"].split("&"))
    png = run.board.raw("plugin/images/individualImage", **query)
    assert Image.open(io.BytesIO(png)).width > 200


def test_each_row_of_the_mean_attention_sums_to_one(run: Run) -> None:
    for hops in run.training["attention"].values():
        assert len(hops) == 2
        np.testing.assert_allclose(np.sum(hops, axis=1), 1, rtol=1e-5)


def test_attention_by_slice_is_an_image_at_the_end(run: Run) -> None:
    tags = run.board.get("plugin/images/tags")["run-1"]
    assert {"attention_by_gender/video_attention"} <= set(tags)


def test_weights_attention_and_scores_are_histograms(run: Run) -> None:
    tags = set(run.board.get("plugin/histograms/tags")["run-1"])
    weights = {f"weights/{w.name.split(':')[0]}" for w in run.model.network.weights}
    assert weights | {"scores/likes", "scores/rivals"} <= tags
    assert {"attention/video_attention/hop_2", "attention/user_attention/hop_1"} <= tags


def test_the_projector_has_users_videos_and_authors(run: Run) -> None:
    assert run.board.get("plugin/projector/runs") == ["run-1"]
    info = run.board.get("plugin/projector/info", run="run-1")
    shapes = {e["tensorName"]: e["tensorShape"] for e in info["embeddings"]}
    assert shapes == {"users": [5, 5], "videos": [11, 5], "author": [3, 5]}
    raw = run.board.raw("plugin/projector/tensor", run="run-1", name="videos")
    found = np.frombuffer(raw, np.float32).reshape(11, 5)
    lines = (run.folder / "boards/run-1/videos_metadata.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["video", "author", "top tags", "likes"]
    ids = [line.split("\t")[0] for line in lines[1:]]
    rows = [1 + list(run.model.dataset.videos.ids).index(name) for name in ids]
    table = run.model.network.video_embedding.table("video_id").numpy()[rows]
    np.testing.assert_allclose(found, table, atol=1e-4)


def test_the_run_is_one_session_with_its_settings_and_figures(run: Run) -> None:
    (group,) = run.board.sessions()
    (session,) = group["sessions"]
    assert group["name"] == session["name"] == "run-1"
    assert session["status"] == "STATUS_SUCCESS"
    assert group["hparams"]["training.l2"] == L2
    metrics = {m["name"]["tag"]: m["value"] for m in session["metricValues"]}
    ndcg = run.board.scalars("run-1", "validation/ndcg@100")
    np.testing.assert_allclose(metrics["validation/ndcg@100"], ndcg[EPOCHS])


def test_texts_tell_what_the_run_was_made_of(run: Run) -> None:
    tags = {"config", "declaration", "data", "versions"}
    assert tags == set(run.board.get("plugin/text/tags")["run-1"])
    (text,) = run.board.get("plugin/text/text", run="run-1", tag="data")
    assert "skipped impressions" in text["text"] and "look" in text["text"]


def test_the_graph_is_there(run: Run) -> None:
    graph = run.board.raw("plugin/graphs/graph", run="run-1", conceptual="false")
    assert b"user_attention" in graph


def test_the_files_are_small(run: Run) -> None:
    files = (run.folder / "boards").rglob("*")
    assert sum(file.stat().st_size for file in files) < 2e6

"""A saved model scores like the model it was saved from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import worlds
from uvcan_tf.evaluation import saved_scorer as module
from uvcan_tf.evaluation.saved_scorer import SavedScorer
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export


@pytest.mark.slow
def test_whole_catalogues_are_scored_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 25)  # two users of eleven videos
    dataset = worlds.small()
    model = UVCAN(dataset, worlds.SMALL_CONFIG)
    users = np.array([4, 1, 5, 2, 3], np.int32)
    videos = np.tile(np.arange(1, 12, dtype=np.int32), [5, 1])
    logits = model.rate(tf.constant(users), tf.constant(videos)).logits
    export(model, dataset, None, worlds.SMALL_CONFIG, tmp_path / "1")
    scores = SavedScorer(tmp_path / "1", dataset).scores(users)
    np.testing.assert_allclose(scores, tf.sigmoid(logits), atol=1e-5)

"""The public functions: tables in, a measured and exported model out.

Each is one call of what the shelves below offer. `fit` is `training.fit.fit` itself.
"""

from __future__ import annotations

from pathlib import Path

from uvcan_tf import features as names
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.evaluation.ranking import rank_pairs
from uvcan_tf.features import Features
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model import export as saved_model

__all__ = ["evaluate", "export", "read_dataset"]


def read_dataset(
    folder: Path | str,
    config: Config | None = None,
    features: Features | None = None,
    days: str = "",
) -> Dataset:
    """Reads and checks a folder of tables, and holds out a share of the likes.

    Args:
      folder: with the tables `users`, `videos` and `interactions`.
      config: `evaluation` says what is held out.
      features: the declaration; by default the `features.json` in the folder, and
        without one the paper's.
      days: of interactions with a folder for each day, which of them: the last so many,
        such as "14", or the first and the last one, such as "2022-04-09:2022-04-22".

    Raises:
      UvcanError: the declaration or a table cannot be used; the message says why.

    >>> dataset = read_dataset(tables)
    >>> dataset.users.size, dataset.videos.size, len(dataset.test)
    (5, 11, 4)
    """
    path = Path(folder)
    declaration = features or names.of_folder(path)
    return encode_tables(
        read_tables(path, declaration, days=days),
        declaration,
        (config or Config()).evaluation,
    )


def evaluate(
    model: UVCAN, dataset: Dataset, config: Config | None = None
) -> dict[str, dict[str, float]]:
    """Ranks the held-out pairs under both protocols.

    Returns:
      Means of HR@k, NDCG@k, Recall@k and AUC: `sampled` against 1,000 videos that the
      user did not like (`evaluation.sampled_negatives`), `full` against all videos.

    >>> results = evaluate(model, dataset, config)
    >>> sorted(results)
    ['full', 'sampled']
    >>> 0 <= results["full"]["ndcg@3"] <= results["full"]["hr@3"] <= 1
    True
    """
    settings = (config or model.config).evaluation
    return rank_pairs(model.scorer(), dataset, settings).summary(settings.cutoffs)


def export(
    model: UVCAN, dataset: Dataset, folder: Path | str, config: Config | None = None
) -> None:
    """Writes a SavedModel for TensorFlow Serving.

    Args:
      model: as trained.
      dataset: what `read_dataset` returned: the likes in it are what `recommend`
        leaves out.
      folder: one version, such as `models/uvcan/1`; it is created.
      config: fixes the protocol of the signature `evaluate`.

    >>> import tensorflow as tf
    >>> export(model, dataset, folder / "uvcan" / "1")
    >>> rank = tf.saved_model.load(folder / "uvcan" / "1").signatures["rank"]
    >>> rank(user_id=tf.constant(["ann"]), video_ids=tf.constant([["v1"]]))["score"]
    <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[...]], dtype=float32)>
    """
    settings = config or model.config
    saved_model.export(model, dataset, None, settings, Path(folder))

"""A column of any name goes from its table to an answer; its owner never notices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from serving.client import calls, encoder
from serving.wire import tensors
from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit

ODD = [
    *("home city", "größe", "a/b", "a:0", "a.b", "2nd", "_gender", "x__"),
    *("self", "prior", "inputs", "class", "mask", "attributes", "K", "User_ID"),
    *("Gender", "gender"),
]
ODD_OF_VIDEOS = [f"v{column}" for column in ODD[:6]]
VECTOR = "a look / of 3"


def write(folder: Path) -> None:
    """A table of users and one of videos with odd columns."""
    users, videos = 12, 9
    columns = {c: [f"{c}{u % 3}" for u in range(users)] for c in ODD}
    pq.write_table(
        pa.table({"user_id": [f"u{u}" for u in range(users)], **columns}),
        folder / "users.parquet",
    )
    columns = {c: [f"{c}{v % 2}" for v in range(videos)] for c in ODD_OF_VIDEOS}
    look = np.random.default_rng(3).normal(size=(videos, 3)).tolist()
    pq.write_table(
        pa.table(
            {"video_id": [f"v{v}" for v in range(videos)], **columns, VECTOR: look}
        ),
        folder / "videos.parquet",
    )
    pairs = [
        (f"u{u}", f"v{v}") for u in range(users) for v in range(videos) if u % 3 < v
    ]
    text = "".join(f"{user},{video}\n" for user, video in pairs)
    (folder / "interactions.csv").write_text(f"user_id,video_id\n{text}")
    declaration = {
        "user": ODD,
        "video": [*ODD_OF_VIDEOS, {"name": VECTOR, "length": 3}],
        "popularity_of": "vhome city",
        "slices": ["home city", "größe"],
    }
    (folder / "features.json").write_text(json.dumps(declaration))


@pytest.mark.slow
def test_columns_of_any_name_are_trained_exported_and_asked(tmp_path: Path) -> None:
    write(tmp_path)
    features = names.of_folder(tmp_path)
    dataset = encode_tables(
        read_tables(tmp_path, features), features, worlds.SMALL_CONFIG.evaluation
    )
    model = fit(dataset, worlds.SMALL_CONFIG)
    export(model, dataset, None, worlds.SMALL_CONFIG, tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    catalogue = Catalogue(model)
    expected = catalogue.rate(tf.constant([1]), tf.constant([[1, 2]])).logits

    # A stranger who is told the attributes of the first user is rated by them.
    told = {column: f"{column}0" for column in ODD}
    clash = features.user[ODD.index("gender")].name  # "Gender" has the name already
    asked = {clash if c == "gender" else c: value for c, value in told.items()}
    request = calls.rank_request("m", "stranger", ["v0", "v1"], asked)
    signature = loaded.signatures[names.RANK_BY_ATTRIBUTES]
    given = {n: tf.constant(tensors.to_array(i)) for n, i in request.inputs.items()}
    assert set(given) == set(signature.structured_input_signature[1])
    assert len(given) == 2 + len(ODD)
    assert np.isfinite(signature(**given)[names.SCORE]).all()

    # A raw row under the columns' own names has the score of its ids.
    row: dict[str, Any] = {"user_id": "u0", "video_id": "v1", **told}
    row |= {column: f"{column}1" for column in ODD_OF_VIDEOS}
    row[VECTOR] = pq.read_table(tmp_path / "videos.parquet")[VECTOR][1].as_py()
    examples = tf.constant(encoder.encode([row], features))
    score = loaded.signatures[names.SERVING_DEFAULT](examples)[names.SCORE]
    np.testing.assert_allclose(score, tf.sigmoid(expected[:, 1]), atol=1e-5)

    # An explanation calls the columns what their owner calls them.
    explained = loaded.signatures[names.EXPLAIN](
        user_id=tf.constant(["u0"]), video_id=tf.constant(["v0"])
    )
    facets = [f.decode() for f in explained[names.USER_FACETS].numpy()[0]]
    assert facets == ["user_id", *ODD]

"""A tiny world that a model can learn: one's place decides whose videos one likes."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from uvcan_tf.data.tables import Tables, write_tables
from uvcan_tf.features import Categorical, Dense, Features, Numeric

USERS, VIDEOS, LIKES, DIMENSION, GROUPS = 48, 90, 12, 7, 3
FEATURES = Features(
    user=(
        Categorical("gender"),
        Categorical("location"),
        Numeric("age", "buckets", 4),
        Dense("voice", 2),
    ),
    video=(
        Categorical("author_id"),
        Categorical("tags", True),
        Dense("visual", 7),
        Numeric("length", "standardized"),
    ),
    popularity_of="author_id",
    slices=("gender", "location"),
)


def write_world(folder: Path, features: Features = FEATURES) -> None:
    """User u likes 12 of the 30 videos v with v % 3 == u % 3, and is shown two more."""
    random = np.random.default_rng(3)
    video = np.arange(VIDEOS)
    rows = []
    for user in range(USERS):
        fits = video % GROUPS == user % GROUPS
        likes = random.choice(video[fits], LIKES, replace=False)
        rows += [(user, v, 1) for v in likes]
        rows += [(user, v, 0) for v in random.choice(video[~fits], 2, replace=False)]
    tags = [[f"t{v % 5}", f"t{v % GROUPS}"] if v % 7 else None for v in video]
    vectors = random.normal(size=(VIDEOS, DIMENSION)).astype(np.float32)
    visual = [vector.tolist() if v % 11 else None for v, vector in enumerate(vectors)]
    genders = [[None, "f", "m"][u // GROUPS % 3] for u in range(USERS)]
    ages = [
        None if u % 10 == 9 else 20 * (1 + u % GROUPS) + u % 5 for u in range(USERS)
    ]
    voices = [[1.0, u % GROUPS - 1.0] if u % 8 else None for u in range(USERS)]
    lengths = [None if v % 13 == 5 else 7.5 + v for v in range(VIDEOS)]
    tables = Tables(
        users=pa.table(
            {
                "user_id": [f"u{u}" for u in range(USERS)],
                "gender": pa.array(genders),
                "location": [f"place {u % GROUPS}" for u in range(USERS)],
                "age": pa.array(ages, pa.float32()),
                "voice": pa.array(voices, pa.list_(pa.float32(), 2)),
            }
        ),
        videos=pa.table(
            {
                "video_id": [f"v{v}" for v in video],
                "author_id": [f"a{v % GROUPS}" for v in video],
                "tags": pa.array(tags, pa.list_(pa.string())),
                "visual": pa.array(visual, pa.list_(pa.float32(), DIMENSION)),
                "length": pa.array(lengths, pa.float32()),
            }
        ),
        interactions=pa.table(
            {
                "user_id": [f"u{u}" for u, _, _ in rows],
                "video_id": [f"v{v}" for _, v, _ in rows],
                "label": pa.array([label for _, _, label in rows], pa.int8()),
            }
        ),
    )
    write_tables(folder, tables, features)

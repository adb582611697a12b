"""The one declaration of every column, feature, split and signature name.

Schemas, preprocessing, embedding tables, signatures, the client's encoder and the
evaluation slices are projections of what stands here; no other module spells a
feature name. Standard library only, so that a client can import it in milliseconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from uvcan_tf.errors import DeclarationError as DeclarationError
from uvcan_tf.feature_kinds import Categorical as Categorical
from uvcan_tf.feature_kinds import Dense as Dense
from uvcan_tf.feature_kinds import Feature as Feature
from uvcan_tf.feature_kinds import Numeric as Numeric
from uvcan_tf.feature_kinds import feature_from_json, feature_to_json, named
from uvcan_tf.json_files import read_json
from uvcan_tf.safe_names import safe_names

# Tables and the columns every deployment has.
USERS: Final = "users"
VIDEOS: Final = "videos"
INTERACTIONS: Final = "interactions"
USER_ID: Final = "user_id"
VIDEO_ID: Final = "video_id"
LABEL: Final = "label"
TIMESTAMP: Final = "timestamp"

# Columns that the pipeline adds to a joined interaction.
POPULARITY: Final = "popularity"
HELD_OUT: Final = "held_out_video_ids"

# Splits of the one `Examples` artifact.
TRAIN: Final = "train"
EVAL: Final = "eval"

PRIOR: Final = "prior"  # factors of either side: no column of a table
LIKED_VIDEOS: Final = "liked_videos"  # a user's history as a facet
VISUAL: Final = "visual"  # a vector made of a video's file

# Signatures of the SavedModel, and the names of their inputs and outputs.
SERVING_DEFAULT: Final = "serving_default"
RANK: Final = "rank"
RANK_BY_ATTRIBUTES: Final = "rank_by_attributes"
RECOMMEND: Final = "recommend"
EXPLAIN: Final = "explain"
EVALUATE: Final = "evaluate"
CLASSIFY: Final = "classify"
REGRESS: Final = "regress"
EXAMPLES: Final = "examples"
INPUTS: Final = "inputs"  # of classify and regress: the names that TF Serving wants
OUTPUTS: Final = "outputs"
CLASSES: Final = "classes"
SCORES: Final = "scores"
CLASS_LABELS: Final = ("not_liked", "liked")
VIDEO_IDS: Final = "video_ids"
K: Final = "k"
EXCLUDE_VIDEO_IDS: Final = "exclude_video_ids"
CANDIDATE_VIDEO_IDS: Final = "candidate_video_ids"
LIKED_VIDEO_IDS: Final = "liked_video_ids"
SKIPPED_VIDEO_IDS: Final = "skipped_video_ids"
SCORE: Final = "score"
FOUND: Final = "found"
KNOWN_USER: Final = "known_user"
KNOWN_VIDEO: Final = "known_video"
VIDEO_ATTENTION: Final = "video_attention"
USER_ATTENTION: Final = "user_attention"
VIDEO_FACETS: Final = "video_facets"
USER_FACETS: Final = "user_facets"
SAMPLED_RANK: Final = "sampled_rank"
AUC: Final = "auc"

FEATURES_FILE: Final = "features.json"

_RESERVED: Final = frozenset(
    {USER_ID, VIDEO_ID, LABEL, TIMESTAMP, POPULARITY, HELD_OUT, LIKED_VIDEOS, VIDEO_IDS}
    | {K, EXCLUDE_VIDEO_IDS, CANDIDATE_VIDEO_IDS, LIKED_VIDEO_IDS, SKIPPED_VIDEO_IDS}
)


def hr_at(k: int) -> str:
    """Name of the output of `evaluate` that is 1 where the rank is at most k."""
    return f"hr_at_{k}"


def ndcg_at(k: int) -> str:
    """Name of the output of `evaluate` that is NDCG@k of one pair."""
    return f"ndcg_at_{k}"


def name_of(column: str) -> str:
    """The name of a column's feature, where no other column differs in case alone."""
    return safe_names([column], _RESERVED)[column]


@dataclasses.dataclass(frozen=True)
class Features:
    """What a deployment knows of its users and videos, apart from their ids.

    >>> PAPER.video_facets
    ('video_id', 'author_id', 'music_id', 'tags', 'visual')
    """

    user: tuple[Feature, ...]
    video: tuple[Feature, ...]
    popularity_of: str = VIDEO_ID
    slices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        every = named((*self.user, *self.video), _RESERVED)
        object.__setattr__(self, "user", every[: len(self.user)])
        object.__setattr__(self, "video", every[len(self.user) :])
        groups = {VIDEO_ID: VIDEO_ID, **{f.column: f.name for f in self.light_video}}
        if self.popularity_of not in (*groups, *groups.values()):
            raise DeclarationError(
                "`popularity_of` should be one of "
                f"{', '.join(sorted(groups))}. Received: {self.popularity_of!r}."
            )
        group = groups.get(self.popularity_of, self.popularity_of)
        object.__setattr__(self, "popularity_of", group)
        of_user = {f.column: f.name for f in self.light_user}
        slices = [of_user.get(column, column) for column in self.slices]
        unknown = [name for name in slices if name not in of_user.values()]
        if unknown:
            raise DeclarationError(
                f"`slices` should name user features whose values are names. "
                f"Received: {unknown}."
            )
        object.__setattr__(self, "slices", tuple(slices))

    @property
    def light_user(self) -> tuple[Categorical, ...]:
        """The user features that are joined onto an interaction: those of names."""
        return tuple(f for f in self.user if isinstance(f, Categorical))

    @property
    def light_video(self) -> tuple[Categorical, ...]:
        """The video features that are joined onto an interaction: those of names."""
        return tuple(f for f in self.video if isinstance(f, Categorical))

    @property
    def user_facets(self) -> tuple[str, ...]:
        """Names of the columns of q^u: the identity, then each user feature."""
        return (USER_ID, *(f.name for f in self.user))

    @property
    def video_facets(self) -> tuple[str, ...]:
        """Names of the columns of q^v: the identity, then each video feature."""
        return (VIDEO_ID, *(f.name for f in self.video))

    def columns_of(self, facets: Iterable[str]) -> list[str]:
        """The users' own names of facets or features."""
        columns = {f.name: f.column for f in (*self.user, *self.video)}
        return [columns.get(facet, facet) for facet in facets]

    def to_json(self) -> dict[str, Any]:
        """The declaration as the content of a `features.json`."""
        return {
            "user": [feature_to_json(f) for f in self.user],
            "video": [feature_to_json(f) for f in self.video],
            "popularity_of": self.columns_of([self.popularity_of])[0],
            "slices": self.columns_of(self.slices),
        }


PAPER: Final = Features(
    user=(Categorical("gender"), Categorical("location")),
    video=(
        Categorical("author_id"),
        Categorical("music_id"),
        Categorical("tags", multivalued=True),
        Dense(VISUAL, 1024),
    ),
    popularity_of="author_id",
    slices=("gender", "location"),
)

KUAIRAND: Final = Features(
    user=(
        Categorical("user_active_degree"),
        Categorical("follow_user_num_range"),
        Categorical("fans_user_num_range"),
        Categorical("friend_user_num_range"),
        Categorical("register_days_range"),
        Categorical("onehot_feat0"),
        Categorical("onehot_feat1"),
        Categorical("onehot_feat2"),
    ),
    video=(
        Categorical("author_id"),
        Categorical("music_id"),
        Categorical("tags", multivalued=True),
        Categorical("video_type"),
        Categorical("upload_type"),
        Categorical("duration_bucket"),
    ),
    popularity_of="author_id",
    slices=("onehot_feat0", "user_active_degree"),
)

MOVIELENS: Final = Features(
    user=(Categorical("gender"), Categorical("age"), Categorical("occupation")),
    video=(
        Categorical("genres", multivalued=True),
        Categorical("release_year"),
    ),
    popularity_of=VIDEO_ID,
    slices=("gender", "age"),
)


def load(path: Path) -> Features:
    """Reads a `features.json`; its sentence names the file, the field and the cure."""
    content = read_json(path, DeclarationError)
    try:
        return from_json(content)
    except DeclarationError as error:
        raise DeclarationError(f"{path}: {error}") from None


def of_folder(folder: Path) -> Features:
    """The declaration beside the tables, or the paper's where there is none."""
    path = Path(folder) / FEATURES_FILE
    return load(path) if path.exists() else PAPER


def from_json(content: Any) -> Features:
    """Builds a declaration from the content of a `features.json`."""
    known = {field.name for field in dataclasses.fields(Features)}
    if not isinstance(content, dict) or not {"user", "video"} <= set(content) <= known:
        raise DeclarationError(
            f"A declaration should be an object with the keys {sorted(known)}, "
            "of which `user` and `video` are required. Received: "
            f"{sorted(content) if isinstance(content, dict) else content!r}."
        )
    for key in ("user", "video", "slices"):
        if not isinstance(content.get(key, []), list):
            raise DeclarationError(
                f"`{key}` should be a list. Received: {content[key]!r}."
            )
    return Features(
        user=tuple(feature_from_json("user", entry) for entry in content["user"]),
        video=tuple(feature_from_json("video", entry) for entry in content["video"]),
        popularity_of=content.get("popularity_of", VIDEO_ID),
        slices=tuple(content.get("slices", ())),
    )

"""TFMD schemas as projections of a feature declaration.

Vocabularies are learned from the data, so no string has a fixed domain; presence,
valency, lengths of vectors and the label's domain are fixed here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from uvcan_tf import features as names
from uvcan_tf.features import Categorical, Dense, Feature, Features, Numeric

#: The splits that each table's schema describes.
SPLITS_OF = {
    names.INTERACTIONS: (names.TRAIN, names.EVAL),
    names.USERS: (names.USERS,),
    names.VIDEOS: (names.VIDEOS,),
}
#: The schema of all splits at once, in which every feature may be missing.
UNION = "union"
NAMES = (*SPLITS_OF, UNION)


def schemas(features: Features) -> dict[str, schema_pb2.Schema]:
    """The schema of each table, by the table's name.

    Interactions are described as the pipeline joins those held out: with their user's
    and video's categorical attributes.
    """
    light = (*features.light_user, *features.light_video)
    interactions = [
        _required(names.USER_ID),
        _required(names.VIDEO_ID),
        _label(),
        _time(),
        _required(names.POPULARITY),
        _categorical(Categorical(names.HELD_OUT, multivalued=True)),
        *(_categorical(feature) for feature in light),
    ]
    users = [_required(names.USER_ID), *map(_attribute, features.user)]
    videos = [_required(names.VIDEO_ID), *map(_attribute, features.video)]
    return {
        names.INTERACTIONS: schema_pb2.Schema(feature=interactions),
        names.USERS: schema_pb2.Schema(feature=users),
        names.VIDEOS: schema_pb2.Schema(feature=videos),
    }


def union(features: Features) -> schema_pb2.Schema:
    """What Transform reads of a table: every feature a list that may be empty."""
    strings = (names.USER_ID, names.VIDEO_ID)
    kinds = dict.fromkeys(strings, schema_pb2.BYTES)
    for feature in (*features.user, *features.video):
        is_name = isinstance(feature, Categorical)
        kinds[feature.name] = schema_pb2.BYTES if is_name else schema_pb2.FLOAT
    return schema_pb2.Schema(
        feature=[schema_pb2.Feature(name=n, type=kind) for n, kind in kinds.items()]
    )


def texts(features: Features) -> dict[str, str]:
    """The content of each `.pbtxt` file: of each table's, and of their union's."""
    every = {**schemas(features), UNION: union(features)}
    return {name: text_format.MessageToString(found) for name, found in every.items()}


def write(features: Features, folder: Path) -> list[Path]:
    """Writes `interactions.pbtxt`, `users.pbtxt` and `videos.pbtxt`."""
    folder.mkdir(parents=True, exist_ok=True)
    every, paths = texts(features), []
    for name in SPLITS_OF:
        paths.append(folder / f"{name}.pbtxt")
        paths[-1].write_text(every[name], encoding="utf-8")
    return paths


def fingerprint(features: Features) -> str:
    """Names the schemas' content: a changed declaration has a folder of its own."""
    whole = "".join(texts(features).values())
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _required(name: str) -> schema_pb2.Feature:
    return schema_pb2.Feature(
        name=name,
        type=schema_pb2.BYTES,
        presence=schema_pb2.FeaturePresence(min_fraction=1.0, min_count=1),
        value_count=schema_pb2.ValueCount(min=1, max=1),
    )


def _label() -> schema_pb2.Feature:
    return schema_pb2.Feature(
        name=names.LABEL,
        type=schema_pb2.INT,
        presence=schema_pb2.FeaturePresence(min_fraction=1.0, min_count=1),
        value_count=schema_pb2.ValueCount(min=1, max=1),
        int_domain=schema_pb2.IntDomain(min=0, max=1, is_categorical=True),
    )


def _time() -> schema_pb2.Feature:
    """There where pairs are held out in time."""
    return schema_pb2.Feature(
        name=names.TIMESTAMP,
        type=schema_pb2.INT,
        value_count=schema_pb2.ValueCount(min=1, max=1),
    )


def _attribute(feature: Feature) -> schema_pb2.Feature:
    """A declared column of its own table, which may be empty throughout."""
    if isinstance(feature, Categorical):
        return _categorical(feature)
    return _floats(feature, feature.length if isinstance(feature, Dense) else 1)


def _categorical(feature: Categorical) -> schema_pb2.Feature:
    at_most_one = schema_pb2.ValueCount(min=1, max=1)
    any_number = schema_pb2.ValueCount(min=1)
    return schema_pb2.Feature(
        name=feature.name,
        type=schema_pb2.BYTES,
        value_count=any_number if feature.multivalued else at_most_one,
    )


def _floats(feature: Dense | Numeric, length: int) -> schema_pb2.Feature:
    return schema_pb2.Feature(
        name=feature.name,
        type=schema_pb2.FLOAT,
        value_count=schema_pb2.ValueCount(min=length, max=length),
        float_domain=schema_pb2.FloatDomain(disallow_nan=True, disallow_inf=True),
    )

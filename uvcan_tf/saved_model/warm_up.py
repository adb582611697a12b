"""Requests that a server replays before a version serves anyone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from uvcan_tf import features as names
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.feature_kinds import MEAN
from uvcan_tf.features import Dense, Feature, Numeric
from uvcan_tf.saved_model.optional_inputs import nothing
from uvcan_tf.saved_model.request_users import attribute_specs
from uvcan_tf.visual.pca import Pca

WARM_UP_FILE: Final = Path("assets.extra") / "tf_serving_warmup_requests"
_CANDIDATES: Final = 100
_SOMEBODY: Final = "somebody who is not in the tables"
_MODEL: Final = "model"  # servers do not look at the name in a warm-up request

Log: TypeAlias = prediction_log_pb2.PredictionLog


def method_of(signature: str) -> str:
    """What TensorFlow Serving calls the kind of a signature."""
    return f"tensorflow/serving/{signature}"


def write_requests(
    dataset: Dataset,
    folder: Path,
    pcas: Mapping[str, Pca],
    histories: Iterable[str] = (),
) -> None:
    """Writes one request or more for every signature and call of the SavedModel."""
    path = folder / WARM_UP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in (*requests(dataset, histories), *_of_means(dataset, pcas)):
            writer.write(log.SerializeToString(deterministic=True))


def requests(dataset: Dataset, histories: Iterable[str] = ()) -> Iterator[Log]:
    """The requests, of a made-up user: the graph has no branch for known ones alone.

    Where there are inputs for a history, also with a video in each of them.
    """
    user, video = _SOMEBODY, dataset.videos.ids[0]
    videos = list(dataset.videos.ids[:_CANDIDATES])
    attributes = attribute_specs(dataset.features).items()
    row = example(dataset)
    serialized = row.SerializeToString(deterministic=True)
    for signature in (names.SERVING_DEFAULT, names.EVALUATE):
        yield _predict(signature, **{names.EXAMPLES: [serialized]})
    some = {names.VIDEO_IDS: [videos]}
    yield _predict(names.RANK, **{names.USER_ID: [user], **some})
    untold = {name: nothing(spec) for name, spec in attributes}
    cold_start = {names.USER_ID: [user], **some, **untold}
    yield _predict(names.RANK_BY_ATTRIBUTES, **cold_start)
    yield _predict(names.RECOMMEND, **{names.USER_ID: [user]})
    listed = {names.USER_ID: [user], names.CANDIDATE_VIDEO_IDS: [["", *videos]]}
    yield _predict(names.RECOMMEND, **listed)
    pair = {names.USER_ID: [user], names.VIDEO_ID: [video]}
    yield _predict(names.EXPLAIN, **pair)
    told = {name: [[v]] for name, v in zip(histories, videos, strict=False)}
    if told:
        yield _predict(names.RANK, **{names.USER_ID: [user], **some, **told})
        yield _predict(names.RANK_BY_ATTRIBUTES, **cold_start, **told)
        yield _predict(names.RECOMMEND, **{names.USER_ID: [user], **told})
        yield _predict(names.EXPLAIN, **pair, **told)
    for signature in (names.CLASSIFY, names.REGRESS):
        yield _predict(signature, **{names.INPUTS: [serialized]})
        yield _by_example(signature, row)
    yield _both(row)


def _of_means(dataset: Dataset, pcas: Mapping[str, Pca]) -> Iterator[Log]:
    """A request for each signature that whitens a mean."""
    for feature in dataset.features.video:
        if isinstance(feature, Dense) and feature.name in pcas:
            yield _predict(feature.signature, **{MEAN: pcas[feature.name].mean[None]})


def example(dataset: Dataset) -> tf.train.Example:
    """A made-up user with the first video, decoded to raw features."""
    values: dict[str, Any] = {
        names.USER_ID: [_SOMEBODY],
        names.VIDEO_ID: [dataset.videos.ids[0]],
    }
    values |= {f.name: _first_known(dataset, f) for f in dataset.features.user}
    values |= {f.name: _raw(dataset, f) for f in dataset.features.video}
    row = tf.train.Example()
    for name, raw in values.items():
        if not raw:
            continue  # an empty list has a type, too, and it may be another one
        feature = row.features.feature[name]
        if isinstance(raw[0], float):
            feature.float_list.value.extend(raw)
        else:
            feature.bytes_list.value.extend(text.encode() for text in raw)
    return row


def _first_known(dataset: Dataset, feature: Feature) -> list[Any]:
    """A value that nobody in particular has."""
    if isinstance(feature, Numeric):
        return [0.0]
    if isinstance(feature, Dense):
        return [0.0] * feature.length
    return list(dataset.vocabularies[feature.name][:1])


def _raw(dataset: Dataset, feature: Feature) -> list[Any]:
    """The raw values of the first video; none where they are missing."""
    values = dataset.videos.columns[feature.name][1].reshape(-1)
    if isinstance(feature, Numeric):
        return [0.0] if values.any() else []
    if isinstance(feature, Dense):
        return list(map(float, values)) if values.any() else []
    known = dataset.vocabularies[feature.name]
    return [known[number - 1] for number in values if 1 <= number <= len(known)]


def _predict(signature: str, **inputs: Any) -> Log:
    log = Log()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        tensor = tf.make_tensor_proto(tf.convert_to_tensor(values))
        request.inputs[name].CopyFrom(tensor)
    return log


def _by_example(signature: str, row: tf.train.Example) -> Log:
    log = Log()
    kind = log.classify_log if signature == names.CLASSIFY else log.regress_log
    kind.request.model_spec.signature_name = signature
    kind.request.input.example_list.examples.append(row)
    return log


def _both(row: tf.train.Example) -> Log:
    """One MultiInference call of both forms."""
    log = Log()
    request = log.multi_inference_log.request
    for signature in (names.CLASSIFY, names.REGRESS):
        task = request.tasks.add(method_name=method_of(signature))
        task.model_spec.name = _MODEL
        task.model_spec.signature_name = signature
    request.input.example_list.examples.append(row)
    return log

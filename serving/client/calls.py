"""Requests out of arguments and records out of replies: what both clients share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from serving.client import arguments
from serving.client.arguments import Attributes
from serving.client.encoder import Row, encode
from serving.client.errors import UnexpectedReply
from serving.client.records import Attention, Explanation, Scored, VersionStatus
from serving.wire import tensors
from serving.wire.protos import get_model_status_pb2, predict_pb2
from uvcan_tf import features as names

Outputs = Mapping[str, tensors.Array]
Ids = Iterable[str]
_Given = ParamSpec("_Given")
_Record = TypeVar("_Record")


def rank_request(
    model: str,
    user_id: str,
    video_ids: Sequence[str],
    attributes: Attributes | None = None,
    liked: Ids = (),
    skipped: Ids = (),
) -> predict_pb2.PredictRequest:
    """Asks for the scores of the given videos."""
    return _request(
        model,
        names.RANK_BY_ATTRIBUTES if attributes else names.RANK,
        {
            names.USER_ID: tensors.strings(arguments.text(names.USER_ID, user_id)),
            names.VIDEO_IDS: _ids(names.VIDEO_IDS, video_ids),
            **_given(attributes),
            **_history(liked, skipped),
        },
    )


def recommend_request(
    model: str,
    user_id: str,
    k: int,
    exclude: Ids,
    candidates: Ids | None = None,
    attributes: Attributes | None = None,
    liked: Ids = (),
    skipped: Ids = (),
) -> predict_pb2.PredictRequest:
    """Asks for the k best videos, of the whole catalogue or of the candidates."""
    inputs = {
        names.USER_ID: tensors.strings(arguments.text(names.USER_ID, user_id)),
        names.K: np.array([arguments.count(names.K, k)], np.int32),
        names.EXCLUDE_VIDEO_IDS: _optional_ids(names.EXCLUDE_VIDEO_IDS, exclude),
        **_given(attributes),
        **_history(liked, skipped),
    }
    if candidates is not None:
        name = names.CANDIDATE_VIDEO_IDS
        inputs[name] = _optional_ids(name, candidates)
    return _request(model, names.RECOMMEND, inputs)


def explain_request(
    model: str, user_id: str, video_id: str, liked: Ids = (), skipped: Ids = ()
) -> predict_pb2.PredictRequest:
    """Asks what either side looked at."""
    return _request(
        model,
        names.EXPLAIN,
        {
            names.USER_ID: tensors.strings(arguments.text(names.USER_ID, user_id)),
            names.VIDEO_ID: tensors.strings(arguments.text(names.VIDEO_ID, video_id)),
            **_history(liked, skipped),
        },
    )


def score_request(
    model: str, rows: Iterable[Row], features: names.Features
) -> predict_pb2.PredictRequest:
    """Asks for the scores of raw rows, known to the tables or not."""
    examples = np.array([*encode(rows, features), None], dtype=object)[:-1]
    return _request(model, names.SERVING_DEFAULT, {names.EXAMPLES: examples})


def _reads(function: Callable[_Given, _Record]) -> Callable[_Given, _Record]:
    """A reader whose failures say that another kind of model answered."""

    @functools.wraps(function)
    def read(*given: _Given.args, **named: _Given.kwargs) -> _Record:
        try:
            return function(*given, **named)
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise UnexpectedReply(
                "The reply should have the form that the exported model gives it: ask "
                f"for the name of such a model. Received: {error}."
            ) from error

    return read


@_reads
def ranked(
    reply: predict_pb2.PredictResponse, video_ids: Sequence[str]
) -> list[Scored]:
    """The videos of a `rank` call in the order they were given.

    Joined with longer calls, one has more scores than videos, the first one's again.
    """
    [scores] = _outputs(reply, names.SCORE)
    found = scores.reshape(-1)[: len(video_ids)]
    return [
        Scored(video_id, float(score))
        for video_id, score in zip(video_ids, found, strict=True)
    ]


@_reads
def recommended(reply: predict_pb2.PredictResponse) -> list[Scored]:
    """The videos of a `recommend` call, best first, without padding."""
    videos, scores = _outputs(reply, names.VIDEO_IDS, names.SCORE)
    known = _known(reply, names.KNOWN_USER)
    return [
        Scored(video_id.decode(), float(score), known)
        for video_id, score in zip(videos.reshape(-1), scores.reshape(-1), strict=True)
        if video_id
    ]


@_reads
def explained(
    reply: predict_pb2.PredictResponse, user_id: str, video_id: str
) -> Explanation:
    """The attention of an `explain` call, by hop and facet."""
    score, user, user_facets, video, video_facets = _outputs(
        reply,
        names.SCORE,
        names.USER_ATTENTION,
        names.USER_FACETS,
        names.VIDEO_ATTENTION,
        names.VIDEO_FACETS,
    )
    return Explanation(
        user_id=user_id,
        video_id=video_id,
        score=float(score.reshape(-1)[0]),
        user=_attention(user, user_facets),
        video=_attention(video, video_facets),
        known_user=_known(reply, names.KNOWN_USER),
        known_video=_known(reply, names.KNOWN_VIDEO),
    )


@_reads
def scores(reply: predict_pb2.PredictResponse) -> list[float]:
    """The scores of a `score` call, row by row."""
    [found] = _outputs(reply, names.SCORE)
    return [float(score) for score in found.reshape(-1)]


@_reads
def statuses(
    reply: get_model_status_pb2.GetModelStatusResponse,
) -> list[VersionStatus]:
    """The versions of a model, newest first."""
    state = get_model_status_pb2.ModelVersionStatus.State.Name
    return [
        VersionStatus(entry.version, state(entry.state), entry.status.error_message)
        for entry in reply.model_version_status
    ]


def _attention(weights: tensors.Array, facets: tensors.Array) -> Attention:
    """One row's attention; weights [B=1, hops, facets], facets [B=1, facets]."""
    return Attention(
        facets=tuple(name.decode() for name in facets[0]),
        weights=tuple(tuple(map(float, hop)) for hop in weights[0]),
    )


def _request(
    model: str, signature: str, inputs: Mapping[str, tensors.Array]
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tensors.to_proto(array))
    return request


def _outputs(reply: predict_pb2.PredictResponse, *wanted: str) -> list[Any]:
    missing = [name for name in wanted if name not in reply.outputs]
    if missing:
        raise UnexpectedReply(
            f"The model '{reply.model_spec.name}' should answer with "
            f"{', '.join(wanted)}. Received: {', '.join(sorted(reply.outputs))}."
        )
    return [tensors.to_array(reply.outputs[name]) for name in wanted]


def _known(reply: predict_pb2.PredictResponse, name: str) -> bool | None:
    """The first answer [B] of an output; None of a model that does not have it."""
    if name not in reply.outputs:
        return None
    return bool(tensors.to_array(reply.outputs[name]).reshape(-1)[0])


def _ids(name: str, values: Ids) -> tensors.Array:
    """A row of ids [B=1, *]."""
    return tensors.strings(*arguments.texts(name, values))[None]


def _optional_ids(name: str, values: Ids) -> tensors.Array:
    """A row of names [B=1, 1 + *] that begins with the empty one, which says nothing.

    A server that joins requests lengthens a row by its first value.
    """
    return np.concatenate([tensors.strings("")[None], _ids(name, values)], axis=1)


def _history(liked: Ids, skipped: Ids) -> dict[str, tensors.Array]:
    """[B=1, 1 + *] of each, if any: a model that does not know them refuses them."""
    told = {names.LIKED_VIDEO_IDS: liked, names.SKIPPED_VIDEO_IDS: skipped}
    rows = {name: _optional_ids(name, videos) for name, videos in told.items()}
    return {name: row for name, row in rows.items() if row.shape[1] > 1}


def _given(attributes: Attributes | None) -> dict[str, tensors.Array]:
    """A user's attributes, [B=1] each, or [B=1, *] of several values or a vector."""
    return {
        names.name_of(name): _value(name, value)
        for name, value in arguments.attributes(attributes).items()
    }


def _value(name: str, value: Any) -> tensors.Array:
    if isinstance(value, str):
        return tensors.strings(value)
    if isinstance(value, float) or (value and isinstance(value[0], float)):
        return np.array([value], np.float32)
    return _optional_ids(name, value)

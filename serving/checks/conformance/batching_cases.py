"""Batching: every run is joined, so every input needs the batch as first dimension.

Section 14 of the contract: with `--enable_batching` TensorFlow Serving joins each call
with others of the same inputs and outputs, also a call that asks for some outputs
only. It refuses a scalar input, and inputs of different lengths, with
INVALID_ARGUMENT; a warm-up request that is refused ends the load of its version.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from serving.checks.conformance.batching_case import (
    Batching,
    BatchingCase,
    Call,
    outputs_differ,
)
from serving.client.encoder import encode
from serving.wire import tensors
from uvcan_tf import features as names

_AVAILABLE: Final = 30
_ASKED_TOGETHER: Final = 16
_ASKED: Final = (  # by clients; `evaluate` is the pipeline's own
    names.SERVING_DEFAULT,
    names.CLASSIFY,
    names.REGRESS,
    names.RANK,
    names.RANK_BY_ATTRIBUTES,
    names.RECOMMEND,
    names.EXPLAIN,
)
_OPTIONAL: Final = (names.K, names.EXCLUDE_VIDEO_IDS, names.CANDIDATE_VIDEO_IDS)


def cases() -> Iterator[BatchingCase]:
    """Every case; the model must be one that this project exported."""
    yield BatchingCase("Batching: the model is ready, warm-up included", _not_ready)
    for name in _ASKED:
        yield _case(f"every input of {name} has the batch first", name, _other_inputs)
        yield _case(f"an input that {name} may miss is one row", name, _other_defaults)
        yield _case(f"{name} is answered alone", name, _alone)
        yield _case(f"{name} is answered for each output alone", name, _some_outputs)
        yield _case(f"{name} is answered the same in company", name, _in_company)
    yield BatchingCase("Batching: calls that meet are joined", _never_joined)


def _case(
    claim: str, signature: str, differs: Callable[[Batching, str], str | None]
) -> BatchingCase:
    return BatchingCase(f"Batching: {claim}", lambda asked: differs(asked, signature))


def _not_ready(batching: Batching) -> str | None:
    newest = batching.states()[0]
    if newest.state == _AVAILABLE and not newest.status.error_code:
        return None
    return f"version {newest.version} {newest.status}, expected AVAILABLE"


def _other_inputs(batching: Batching, signature: str) -> str | None:
    """A first dimension of any size is told as -1."""
    for alias, info in sorted(batching.signatures[signature].inputs.items()):
        sizes = [dim.size for dim in info.tensor_shape.dim]
        if info.tensor_shape.unknown_rank or sizes[:1] != [-1]:
            return f"{alias} has the shape {sizes}, expected [-1, ...]"
    return None


def _other_defaults(batching: Batching, signature: str) -> str | None:
    for alias, proto in sorted(batching.signatures[signature].defaults.items()):
        shape = tensors.to_array(proto).shape
        if shape[:1] != (1,):
            return (
                f"{alias} has a default of the shape {list(shape)}, expected [1, ...]"
            )
    return None


def _alone(batching: Batching, signature: str) -> str | None:
    for call in _calls(batching, signature):
        found = batching.ask(call)
        if not found:
            return "a reply without outputs"
        for name, array in found.items():
            if array.shape[:1] != (1,):
                return f"{name} has the shape {list(array.shape)}, expected [1, ...]"
    return None


def _some_outputs(batching: Batching, signature: str) -> str | None:
    call = _calls(batching, signature)[0]
    whole = batching.ask(call)
    for name in sorted(batching.signatures[signature].outputs):
        found = batching.ask(Call(signature, call.inputs, (name,)))
        difference = outputs_differ(found, {name: whole[name]})
        if difference:
            return difference
    return None


def _in_company(batching: Batching, signature: str) -> str | None:
    calls = _calls(batching, signature)
    alone = [batching.ask(call) for call in calls]
    times = -(-_ASKED_TOGETHER // len(calls))
    for found, expected in zip(
        batching.ask_together(calls * times), alone * times, strict=True
    ):
        difference = outputs_differ(found, expected)
        if difference:
            return difference
    return None


def _never_joined(batching: Batching) -> str | None:
    """A list that is answered with more scores than it has videos met a longer one."""
    user = tensors.strings(batching.users[0])
    short, long = (
        Call(names.RANK, {names.USER_ID: user, names.VIDEO_IDS: videos[None]})
        for videos in (tensors.strings("v1"), tensors.strings("v1", "v2", "v3"))
    )
    ends = time.monotonic() + batching.join_within_s
    while time.monotonic() < ends:
        found = batching.ask_together([short, long] * (_ASKED_TOGETHER // 2))
        if any(reply[names.SCORE].shape[1] > 1 for reply in found[::2]):
            return None
    return (
        f"no call was joined in {batching.join_within_s:g} s, expected a server with "
        "--enable_batching and pad_variable_length_inputs"
    )


def _calls(batching: Batching, signature: str) -> list[Call]:
    """Calls of different users, lists and left-out inputs."""
    return [
        Call(signature, _inputs(batching, signature, user, place))
        for place, user in enumerate(batching.users)
    ]


def _inputs(
    batching: Batching, signature: str, user: str, place: int
) -> dict[str, tensors.Array]:
    """What a client sends for one user; each optional input is left out in turn."""
    video = f"v{place + 1}"
    signed = batching.signatures[signature].inputs
    if names.EXAMPLES in signed or names.INPUTS in signed:
        row = {names.USER_ID: user, names.VIDEO_ID: video}
        [alias] = signed
        return {alias: np.array([*encode([row], names.PAPER), None], object)[:-1]}
    ids = tensors.strings("", *(f"v{n}" for n in range(place, 2 * place + 2)))[None]
    known: dict[str, tensors.Array] = {
        names.USER_ID: tensors.strings(user),
        names.VIDEO_ID: tensors.strings(video),
        names.VIDEO_IDS: ids,
        names.K: np.array([place + 2], np.int32),
        names.EXCLUDE_VIDEO_IDS: ids,
        names.CANDIDATE_VIDEO_IDS: ids,
    }
    optional = [name for name in _OPTIONAL if name in signed]
    if optional:
        del known[optional[place % len(optional)]]
    return {alias: known[alias] for alias in signed if alias in known}

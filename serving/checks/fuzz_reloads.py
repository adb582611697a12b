"""Lists of models that nobody should send: refused, and the live models stay."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import text_format

from serving.checks.conformance.models import CONFIG_FILE
from serving.checks.fuzz import mutate_fields
from serving.wire.protos import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

#: A new model without a version is waited for, as long as the caller waits.
_WAIT_S: Final = 0.5
_MOST_S: Final = 10.0  # beyond this a call hangs
_AVAILABLE: Final = 30
_REFUSALS: Final = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
#: After these the list may count; a reply that is too late leaves it open.
_MAY_COUNT: Final = (grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED)
_NUMBERS: Final = (0, 1, 2, 3, -1, 2**31 - 1, 2**63 - 1, -(2**63))
_TEXTS: Final = ("", " ", "x", "a/b", "../up", "\0", "a\nb", "日本", "n" * 5000)

Change = Callable[[Any, Path, random.Random], None]


def fuzz_reloads(
    channel: grpc.Channel, models: Path, count: int, seed: int
) -> tuple[Counter[str], list[str]]:
    """Sends mutated reloads; statuses by name, and what went wrong.

    Args:
      channel: to a server of the conformance models.
      models: their folder, as the server sees it.
      count: of the reloads.
      seed: of the mutations.
    """
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    good = model_management_pb2.ReloadConfigRequest()
    text_format.Parse((models / CONFIG_FILE).read_text(), good.config)
    source = random.Random(seed)
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(count):
        request = mutated(good, models, source)
        code, details = _reload(stub, request, _WAIT_S)
        statuses[code.name] += 1
        told = f"reload {number}, {text_format.MessageToString(request)!r:.2000}"
        if code in _MAY_COUNT:
            again, why = _reload(stub, good, _MOST_S)
            if again is not grpc.StatusCode.OK:
                wrong.append(f"{told}: the good list then gets {again.name}: {why}")
            _wait_until_served(stub, good)
        elif code not in _REFUSALS and "did not become available" not in details:
            wrong.append(f"{told} ended with {code.name}: {details}")
        gone = [entry.name for entry in _entries(good) if not _serves(stub, entry.name)]
        if gone:
            wrong.append(f"{told} ended with {code.name}, and {gone} are gone")
    return statuses, wrong


def mutated(good: Any, models: Path, source: random.Random) -> Any:
    """A list with a few things changed, that still can be read."""
    request = model_management_pb2.ReloadConfigRequest()
    request.CopyFrom(good)
    for _ in range(source.randint(1, 3)):
        if not _entries(request) or source.random() < 0.2:
            mutate_fields(request, source)
        else:
            source.choice(_CHANGES)(request, models, source)
    return request


def _twice(request: Any, models: Path, source: random.Random) -> None:
    _entries(request).add().CopyFrom(source.choice(_entries(request)))


def _another(request: Any, models: Path, source: random.Random) -> None:
    entry = _entries(request).add(name=source.choice(_TEXTS))
    entry.base_path = source.choice([str(models / "wide"), *_paths(models)])
    entry.model_platform = "tensorflow"


def _name(request: Any, models: Path, source: random.Random) -> None:
    source.choice(_entries(request)).name = source.choice(_TEXTS)


def _path(request: Any, models: Path, source: random.Random) -> None:
    entry = source.choice(_entries(request))
    entry.name = source.choice([entry.name, "new"])
    entry.base_path = source.choice(_paths(models))


def _platform(request: Any, models: Path, source: random.Random) -> None:
    entry = source.choice(_entries(request))
    entry.model_platform = source.choice(_TEXTS)
    entry.model_type = source.choice((0, 1, 2))


def _policy(request: Any, models: Path, source: random.Random) -> None:
    entry = source.choice(_entries(request))
    if source.random() < 0.5:
        entry.name = "new"
    policy = entry.model_version_policy
    if source.random() < 0.5:
        policy.specific.versions.extend(source.choices(_NUMBERS, k=2))
    else:
        policy.latest.num_versions = source.choice((0, 1, 2**32 - 1))


def _label(request: Any, models: Path, source: random.Random) -> None:
    labels = source.choice(_entries(request)).version_labels
    labels[source.choice(_TEXTS)] = source.choice(_NUMBERS)


_CHANGES: Final[tuple[Change, ...]] = (
    *(_twice, _another, _name, _path, _platform, _policy, _label),
)


def _paths(models: Path) -> list[str]:
    """Of no folder, of a file, of folders without versions, and of odd names."""
    odd = (str(models / text) for text in (*_TEXTS, "missing", CONFIG_FILE, "wide/1"))
    return [*_TEXTS, *odd, "/", "/dev/null", "file:///tmp", "/" + "long/" * 2000]


def _entries(request: Any) -> Any:
    return request.config.model_config_list.config


def _reload(stub: Any, request: Any, timeout_s: float) -> tuple[grpc.StatusCode, str]:
    try:
        stub.HandleReloadConfigRequest(request, timeout=timeout_s)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def _wait_until_served(stub: Any, good: Any) -> None:
    """A model that goes back to its folder loads its versions after the reply."""
    ends = time.monotonic() + _MOST_S
    while time.monotonic() < ends:
        if all(_serves(stub, entry.name) for entry in _entries(good)):
            return
        time.sleep(0.01)


def _serves(stub: Any, name: str) -> bool:
    """Whether a version of the model is available."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    try:
        reply = stub.GetModelStatus(request, timeout=_MOST_S)
    except grpc.RpcError:
        return False
    return any(version.state == _AVAILABLE for version in reply.model_version_status)

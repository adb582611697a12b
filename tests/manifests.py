"""Checks a manifest against Kubernetes' own types, and makes wrong ones of it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes.client
import yaml

_SETTINGS = kubernetes.client.Configuration()
_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "object": (int, str),  # a port's number or name is the only one here
}
#: Mappings with keys of their writer's choice.
_FREE = {
    *("labels", "matchLabels", "annotations", "selector", "data"),
    *("requests", "limits"),
}
_Path = tuple[str | int, ...]


class _Custom:
    """A type of the training operator, described as the client describes its own.

    Written after the Go types of its release 1.9 (`pkg/apis/kubeflow.org/v1`).
    """

    def __init__(self, required: tuple[str, ...] = (), **types: str) -> None:
        self._required = required
        self.openapi_types = types
        self.attribute_map = {name: name for name in types}

    def __call__(self, **given: Any) -> None:
        for name in self._required:
            if name not in given:
                raise ValueError(f"Invalid value for `{name}`, must not be `None`")


_REPLICAS = ("Chief", "Evaluator", "Master", "PS", "Worker")
_CUSTOM = {
    "V1TFJob": _Custom(
        ("metadata", "spec"),
        apiVersion="str",
        kind="str",
        metadata="V1ObjectMeta",
        spec="TFJobSpec",
    ),
    "TFJobSpec": _Custom(
        ("tfReplicaSpecs",),
        enableDynamicWorker="bool",
        runPolicy="TFJobRunPolicy",
        successPolicy="str",
        tfReplicaSpecs="TFJobReplicas",
    ),
    "TFJobReplicas": _Custom(**dict.fromkeys(_REPLICAS, "TFJobReplica")),
    "TFJobReplica": _Custom(
        replicas="int", restartPolicy="str", template="V1PodTemplateSpec"
    ),
    "TFJobRunPolicy": _Custom(
        activeDeadlineSeconds="int",
        backoffLimit="int",
        cleanPodPolicy="str",
        managedBy="str",
        suspend="bool",
        ttlSecondsAfterFinished="int",
    ),
}


def by_kind(folder: Path) -> dict[str, Any]:
    """Every document of a folder by its kind."""
    return {
        document["kind"]: document
        for path in sorted(folder.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    }


def mistakes(value: Any, model: str, path: str) -> list[str]:
    """What of a manifest its OpenAPI type does not know, lacks or types otherwise."""
    listed = re.fullmatch(r"list\[(.+)\]", model)
    mapped = re.fullmatch(r"dict\(\w+, (.+)\)", model)
    kind = _CUSTOM.get(model) or getattr(kubernetes.client, model, None)
    shape = list if listed else dict if mapped or kind else None
    if shape and not isinstance(value, shape):
        return [f"{path} should be {model}, not {value!r}"]
    found: list[str] = []
    if listed:
        for number, entry in enumerate(value):
            found += mistakes(entry, listed[1], f"{path}[{number}]")
    elif mapped:
        for key, entry in value.items():
            found += mistakes(entry, mapped[1], f"{path}.{key}")
    elif kind:
        found += _of_object(value, kind, path)
    elif type(value) not in _PLAIN[model]:
        found.append(f"{path} should be {model}, not {value!r}")
    return found


def _of_object(value: dict[str, Any], kind: Any, path: str) -> list[str]:
    names = {wire: ours for ours, wire in kind.attribute_map.items()}
    found = [f"{path}.{key} is unknown" for key in value if key not in names]
    given = {names[key]: entry for key, entry in value.items() if key in names}
    for name, entry in given.items():
        own = f"{path}.{kind.attribute_map[name]}"
        found += mistakes(entry, kind.openapi_types[name], own)
    try:
        kind(**given, local_vars_configuration=_SETTINGS)
    except ValueError as error:  # something required is missing
        found.append(f"{path}: {error}")
    return found


def of_manifest(manifest: dict[str, Any]) -> list[str]:
    """Mistakes of a whole document."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    assert group in ("", "apps", "autoscaling", "batch", "kubeflow.org")
    kind = manifest["kind"]
    return mistakes(manifest, f"{version.capitalize()}{kind}", kind)


def _nodes(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """Everything in a document, with the way to it."""
    yield path, value
    if isinstance(value, (dict, list)):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from _nodes(entry, (*path, key))


def _others(path: _Path, value: Any) -> list[Any]:
    """Values of other types than the one that stands there."""
    others: dict[type, list[Any]] = {
        dict: [["x"], "x", 7],
        list: [{"x": "y"}, "x", 7],
        str: [{"x": "y"}, ["x"], True, None],
        int: [{"x": "y"}, ["x"], True, 1.5],
        bool: [{"x": "y"}, ["x"], "true", 1],
    }
    named = path[-1] == "port"  # of a probe it may be a name as well
    return others[type(value)] + (["x"] if type(value) is int and not named else [])


def _changed(manifest: Any, path: _Path, value: Any) -> Any:
    """A copy with another value there."""
    document = copy.deepcopy(manifest)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def mutations(manifest: Any) -> Iterator[tuple[str, Any]]:
    """Each value of another type, each key misspelled, a key too many everywhere."""
    for path, value in _nodes(manifest):
        told = ".".join(map(str, path))
        if path and path not in (("apiVersion",), ("kind",)):
            for other in _others(path, value):
                yield f"{told} = {other!r}", _changed(manifest, path, other)
        if isinstance(value, dict) and not (path and path[-1] in _FREE):
            for key in value if path else ():
                spelled = {
                    name if name != key else f"{name}z": value[name] for name in value
                }
                yield f"{told}.{key}z", _changed(manifest, path, spelled)
            more = value | {"nope": "x"}
            yield f"{told}.nope", _changed(manifest, path, more) if path else more

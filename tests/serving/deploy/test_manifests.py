"""The manifests are what Kubernetes' own types say, and nothing else would pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import serving
from tests.manifests import by_kind, mistakes, mutations, of_manifest

FOLDER = Path(serving.__file__).parent / "deploy" / "kubernetes"


def manifests() -> dict[str, Any]:
    """Every document by its kind."""
    return by_kind(FOLDER)


@pytest.mark.parametrize("kind", sorted(manifests()))
def test_a_manifest_is_one_of_kubernetes_own_types(kind: str) -> None:
    assert of_manifest(manifests()[kind]) == []


@pytest.mark.parametrize("kind", sorted(manifests()))
def test_every_other_type_and_name_is_refused(kind: str) -> None:
    wrong = dict(mutations(manifests()[kind]))
    assert len(wrong) >= 15
    passed = [told for told, document in wrong.items() if not of_manifest(document)]
    assert passed == []


def test_a_missing_field_is_named() -> None:
    [told] = mistakes([{"name": "grpc"}], "list[V1ServicePort]", "ports")
    assert told.startswith("ports[0]: Invalid value for `port`")


def test_a_mistake_is_told_where_it_stands() -> None:
    wrong = {"metadata": {"nome": "x"}, "spec": {"ports": [{"port": "80"}]}}
    assert mistakes(wrong, "V1Service", "Service") == [
        "Service.metadata.nome is unknown",
        "Service.spec.ports[0].port should be int, not '80'",
    ]

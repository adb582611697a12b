"""`from serving.client import ...` gives the public names, and is quick."""

import subprocess
import sys

import pytest

import serving.client

NAMES = [
    *("AccessDenied", "AsyncRecommenderClient", "Attention", "CallCancelled"),
    *("DeadlineExceeded", "Explanation", "InvalidRequest", "ModelNotFound"),
    *("RecommenderClient", "RequestRejected", "Scored", "ServerFailed"),
    *("ServerOverloaded", "ServerUnavailable", "ServingError", "Tls"),
    *("UnexpectedReply", "VersionStatus"),
]


def test_the_public_names_are_these() -> None:
    assert serving.client.__all__ == NAMES
    assert set(NAMES) <= set(dir(serving.client))
    assert [getattr(serving.client, name).__name__ for name in NAMES] == NAMES


def test_another_name_is_none_of_them() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Client'"):
        _ = serving.client.Client  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["RecommenderClient", "AsyncRecommenderClient"])
def test_a_client_starts_no_tensorflow(name: str) -> None:
    code = (
        f"import sys; from serving.client import {name}; "
        "print('tensorflow' in sys.modules, hasattr(sys.modules.get('tensorflow'), "
        "'constant'))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_the_package_alone_imports_no_grpc() -> None:
    code = "import sys, serving.client; print('grpc' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

"""gRPC tries again where a server goes or is full; the caller sees one answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from serving.client.aio import AsyncRecommenderClient
from serving.client.client import RecommenderClient
from serving.client.connection import _is_loopback, _proxy, _retried
from serving.client.errors import (
    RequestRejected,
    ServerOverloaded,
    ServerUnavailable,
    UnexpectedReply,
)
from serving.server.app import Server
from serving.wire.protos import predict_pb2
from tests.serving.conftest import options, until


class Failing(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is untyped
    """Answers a status so many times, then an empty reply; counts the calls."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.times = 0
        self.calls = 0

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        if self.calls <= self.times:
            context.abort(self.code, "not now")
        return bytes(predict_pb2.PredictResponse().SerializeToString())


@pytest.fixture
def failing() -> Iterator[tuple[str, Failing]]:
    handler = Failing()
    options = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler], options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", handler
    server.stop(0)


RETRIED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
)


def ask(target: str, retries: int) -> None:
    """One call, whose empty reply is what the handler answers."""
    with RecommenderClient(target, retries=retries) as client:
        client._predict(predict_pb2.PredictRequest(), timeout=10)


@pytest.mark.parametrize("code", RETRIED)
def test_a_server_without_room_is_asked_again(
    failing: tuple[str, Failing], code: grpc.StatusCode
) -> None:
    target, handler = failing
    handler.code, handler.times = code, 2
    ask(target, retries=3)
    assert handler.calls == 3


@pytest.mark.parametrize(
    ("code", "kind"),
    [(RETRIED[0], ServerUnavailable), (RETRIED[1], ServerOverloaded)],
)
def test_the_last_failure_is_told(
    failing: tuple[str, Failing], code: grpc.StatusCode, kind: type[Exception]
) -> None:
    target, handler = failing
    handler.code, handler.times = code, 99
    with RecommenderClient(target, retries=2) as client:
        with pytest.raises(kind, match="not now"):
            client.rank("u1", ["v1"])
    assert handler.calls == 3


def test_without_retries_a_server_is_asked_once(failing: tuple[str, Failing]) -> None:
    target, handler = failing
    handler.code, handler.times = RETRIED[1], 99
    with RecommenderClient(target, retries=0) as client:
        with pytest.raises(ServerOverloaded):
            client.rank("u1", ["v1"])
    assert handler.calls == 1


def test_no_other_failure_is_asked_again(failing: tuple[str, Failing]) -> None:
    target, handler = failing
    handler.code, handler.times = grpc.StatusCode.INVALID_ARGUMENT, 99
    with RecommenderClient(target) as client:
        with pytest.raises(RequestRejected):
            client.rank("u1", ["v1"])
    assert handler.calls == 1


def test_the_asyncio_client_asks_again_too(failing: tuple[str, Failing]) -> None:
    target, handler = failing
    handler.code, handler.times = RETRIED[1], 99

    async def rank() -> None:
        async with AsyncRecommenderClient(target, retries=2) as client:
            await client.rank("u1", ["v1"])

    with pytest.raises(ServerOverloaded):
        asyncio.run(rank())
    assert handler.calls == 3


def test_the_deadline_bounds_all_attempts(failing: tuple[str, Failing]) -> None:
    target, handler = failing
    handler.code, handler.times = RETRIED[0], 99
    begun = time.monotonic()
    with RecommenderClient(target, retries=4, timeout_s=0.3) as client:
        with pytest.raises(Exception, match=target):
            client.rank("u1", ["v1"])
    assert time.monotonic() - begun < 2


def test_no_call_is_lost_while_a_server_is_replaced(models: Path) -> None:
    """A pod that goes: its open calls end, and the next ones find its successor."""
    first = Server(options(models / "uvcan", "uvcan"))
    port = first.port
    done, failures = threading.Event(), []
    answered = [0]

    def call() -> None:
        with RecommenderClient(f"127.0.0.1:{port}", retries=4, timeout_s=20) as client:
            while not done.is_set():
                try:
                    client.rank("u1", ["v1"])
                    answered[0] += 1
                except Exception as error:
                    failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    until(lambda: answered[0] > 20)
    first.stop()
    with Server(options(models / "uvcan", "uvcan", port=port)):
        before = answered[0]
        until(lambda: answered[0] > before + 20)
        done.set()
        for caller in callers:
            caller.join(30)
    assert failures == []


@pytest.mark.parametrize("name", ["http_proxy", "grpc_proxy"])
def test_a_proxy_in_the_way_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, target: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with RecommenderClient(target) as client:  # loopback goes past it
        assert client.rank("u1", ["v1"])
    with RecommenderClient("uvcan.invalid:1", retries=0, timeout_s=3) as client:
        with pytest.raises(ServerUnavailable, match=rf"through the proxy of \${name}"):
            client.rank("u1", ["v1"])


@pytest.mark.parametrize(
    ("target", "loopback"),
    [
        *((f"{scheme}127.0.0.1:8500", True) for scheme in ("", "ipv4:", "dns:")),
        *((f"dns://{server}/localhost:8500", True) for server in ("", "8.8.8.8")),
        *(("localhost", True), ("[::1]:8500", True), ("ipv6:[::1]:8500", True)),
        *(("ipv4:10.0.0.1:8500,127.0.0.1:8500", False), ("dns:127.example:1", False)),
        *(("uvcan:8500", False), ("dns:///uvcan:8500", False), ("ipv6:[::2]:1", False)),
    ],
)
def test_this_machine_is_known_in_every_spelling(target: str, loopback: bool) -> None:
    assert _is_loopback(target) == loopback


@pytest.mark.parametrize(
    ("passed", "asked"),
    [
        ({"no_proxy": "example.org, .invalid"}, None),
        ({"no_grpc_proxy": "uvcan.invalid"}, None),
        ({"no_grpc_proxy": "else", "no_proxy": ".invalid"}, "http_proxy"),
        ({"no_proxy": "can.invalid:1,,example.org"}, "http_proxy"),
    ],
)
def test_no_proxy_is_blamed_that_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, passed: dict[str, str], asked: str | None
) -> None:
    for name in ("no_grpc_proxy", "no_proxy", "grpc_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"http_proxy": "http://127.0.0.1:9", **passed}.items():
        monkeypatch.setenv(name, value)
    assert _proxy("dns:///uvcan.invalid:1") == asked


def test_without_retries_grpc_still_sends_again_what_no_server_saw() -> None:
    """Its transparent retries end with `grpc.enable_retries`, and with nothing else."""
    assert "grpc.enable_retries" not in dict(_retried(0))


def test_a_large_request_is_asked_again_too(failing: tuple[str, Failing]) -> None:
    target, handler = failing
    handler.code, handler.times = grpc.StatusCode.UNAVAILABLE, 1
    videos = [f"{'x' * 200}-{number}" for number in range(30_000)]
    with RecommenderClient(target, timeout_s=30) as client:
        with pytest.raises(UnexpectedReply, match="should answer with score"):
            client.rank("u1", videos)
    assert handler.calls == 2

"""What a REST call may take: bytes, values, depth and time."""

import gzip
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from serving.server.rest.document import parse
from serving.server.rest.limits import Limits, TooLarge
from serving.server.status import Code, StatusError
from tests.serving.conftest import conformance_server, free_port, until

PATH = "/v1/models/half_plus_two:predict"
HEAD = b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n"


def _values(document: Any) -> int:
    """Every value, and an empty list or object once more."""
    if not isinstance(document, (list, dict)):
        return 1
    inner = document.values() if isinstance(document, dict) else document
    return 1 + (sum(map(_values, inner)) if document else 1)


def _depth(document: Any) -> int:
    if not isinstance(document, (list, dict)):
        return 0
    inner = document.values() if isinstance(document, dict) else document
    return 1 + max(map(_depth, inner), default=0)


def _drawn(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(4 if depth < 5 else 2)
    if kind == 0:
        return chance.choice([1, 2.5, None, True])
    if kind == 1:
        return "".join(chance.choice('a,[]{}"\\\n') for _ in range(5))
    inner = [_drawn(chance, depth + 1) for _ in range(chance.randrange(4))]
    return inner if kind == 2 else {f'{n},"[': v for n, v in enumerate(inner)}


def test_values_and_depth_are_counted_outside_of_strings() -> None:
    chance = random.Random(3)
    for _ in range(300):
        document = [_drawn(chance), _drawn(chance)]
        body = json.dumps(document).encode()
        values, depth = _values(document), _depth(document)
        Limits(values=values, nesting=depth).check_json(body)
        with pytest.raises(TooLarge, match=f"at most {values - 1} JSON values"):
            Limits(values=values - 1).check_json(body)
        with pytest.raises(TooLarge, match=f"at most {depth - 1} deep in each other"):
            Limits(nesting=depth - 1).check_json(body)


def test_a_long_string_that_never_ends_is_refused_at_once() -> None:
    begun = time.process_time()
    with pytest.raises(StatusError, match="Missing a closing quotation mark"):
        parse(b'{"a": "' + b"x" * 2**22)
    assert time.process_time() - begun < 1  # a stack entry for each character: 4 s


@contextmanager
def _served(models: Path, **changes: Any) -> Iterator[tuple[Any, int]]:
    port = free_port()
    with conformance_server(models, rest_api_port=port, **changes) as server:
        yield server, port


def _post(port: int, body: bytes, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", PATH, body, headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def test_each_limit_has_a_flag_that_its_refusal_names(models: Path) -> None:
    limits = {"rest_api_max_values": 9, "rest_api_max_nesting": 3}
    with _served(models, rest_api_max_body_bytes=999, **limits) as (_, port):
        for body, flag in (
            (b'{"inputs": [' + b"2.0, " * 9 + b"2.0]}", "rest_api_max_values"),
            (b'{"inputs": [[[2.0]]]}', "rest_api_max_nesting"),
            (b'{"inputs": [2.0]' + b" " * 999 + b"}", "rest_api_max_body_bytes"),
        ):
            for headers in ({}, {"Content-Encoding": "gzip"}):
                sent = gzip.compress(body) if headers else body
                code, told = _post(port, sent, **headers)
                assert code == 413 and f"a larger --{flag}." in told
        assert _post(port, b'{"inputs": [2.0]}')[0] == 200


@pytest.mark.parametrize(
    "sent", [b"", b"POST /v1/mod", HEAD + b"Content-Length: 9\r\n\r\n{"]
)
def test_a_caller_who_says_no_more_is_hung_up_on(
    models: Path, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with _served(models, rest_api_timeout_in_ms=300) as (_, port):
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as stalled:
            stalled.sendall(sent)
            received = b"".join(iter(lambda: stalled.recv(1000), b""))
        assert time.monotonic() - begun < 4  # uvicorn's own pause is 5 s
        assert (b"504" in received) == sent.startswith(HEAD)
    assert "Traceback" not in capfd.readouterr().err


def test_a_caller_who_does_not_read_is_hung_up_on(models: Path) -> None:
    body = b'{"inputs": [' + b"2.0, " * 100_000 + b"2.0]}"
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
    with _served(models, rest_api_timeout_in_ms=2000) as (server, port):
        connections = server._rest._server.server_state.connections
        server._rest._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        begun = time.monotonic()
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(head + body)
            until(lambda: len(connections) == 1)
            until(lambda: not connections, timeout_s=20)
        assert time.monotonic() - begun > 2  # it was waited for, but not for ever


def test_a_caller_who_leaves_is_no_traceback(
    models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = b'{"inputs": [' + b"2.0, " * 50_000 + b"2.0]}"
    with _served(models) as (_, port):
        for sent in (b"{", body):
            with socket.create_connection(("127.0.0.1", port)) as leaving:
                leaving.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + sent)
        time.sleep(0.5)
        assert _post(port, b'{"inputs": [2.0]}')[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_call_ends_in_time_whatever_the_model_does(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, asked = threading.Event(), []
    with _served(models, rest_api_timeout_in_ms=400) as (server, port):
        model = server.store._models["half_plus_two"].ready[2].model

        def run(*given: Any) -> Any:
            asked.append(given[2])
            free.wait(20)
            raise StatusError(Code.INTERNAL, "nobody reads this")

        with monkeypatch.context() as patch:
            patch.setattr(model, "run", run)
            begun = time.monotonic()
            code, told = _post(port, b'{"inputs": [2.0]}')
            took = time.monotonic() - begun
            free.set()
        assert code == 504 and "Timed out waiting" in told and took < 5
        assert 0 < asked[0] <= 0.4  # the run is told what is left of the time
        until(lambda: _post(port, b'{"inputs": [2.0]}')[0] == 200)

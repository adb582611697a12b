"""Arguments that a check cannot use: one sentence, before the work begins."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from serving.cli import main

NOBODY = "999999999"  # no process has this number


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("attacks --rest-port 70000 --process 1", "70000 is not in the range"),
        ("attacks --rest-port 1 --process 0", "0 is not in the range"),
        (f"attacks --rest-port 1 --process {NOBODY}", f"Process {NOBODY} should be"),
        ("attacks --rest-port 1 --process 1 --stalled -1", "-1 is not in the range"),
        ("overload --seconds nan", "should be a number of seconds"),
        ("overload --seconds inf", "inf is not in the range"),
        ("overload --seconds 0", "0 is not in the range"),
        ("overload --clients 0", "0 is not in the range"),
        ("overload --candidates -1", "-1 is not in the range"),
        ("overload --out /no/such/folder/x", "The folder /no/such/folder should exist"),
        ("overload --out /", "should be a file. Received: a folder"),
        (f"overload --process {NOBODY}", f"--process {NOBODY} should be a server's"),
        ("overload --target nowhere:1:2", "No server answers at nowhere:1:2"),
        ("load --clients one", "There should be whole numbers from 1 on"),
        ("load --candidates 3,,4", "There should be whole numbers from 1 on"),
        ("load --seconds 0", "0 is not in the range"),
        ("fuzz --target 127.0.0.1:1 --reloads /no/such", "does not exist"),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: str, told: str) -> None:
    result = CliRunner().invoke(main, arguments.split())
    assert result.exit_code in (1, 2), result.output
    last = result.output.splitlines()[-1]
    assert last.startswith("Error: ") and told in last, result.output


@pytest.fixture
def port_of_garbage() -> Iterator[int]:
    """A port that answers, but not by HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"\0\0no HTTP\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield int(listening.getsockname()[1])


def test_a_port_that_talks_no_http_is_one_sentence(port_of_garbage: int) -> None:
    told = ["--rest-port", str(port_of_garbage), "--process", str(os.getpid())]
    result = CliRunner().invoke(main, ["attacks", *told])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: Process {os.getpid()} should be a server")

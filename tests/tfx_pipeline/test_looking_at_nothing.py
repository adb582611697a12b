"""The commands that look, asked for what is not there: one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from ml_metadata.proto import metadata_store_pb2 as pb2

from tfx_pipeline.__main__ import main
from tfx_pipeline.store import STORE, connect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
LOOKING = (
    ("show",),
    ("report",),
    ("lineage", "1"),
    ("tensorboard",),
    ("explain", "--user", "u1"),
)


def refused(*arguments: object) -> str:
    """The sentence that a command ends with."""
    result = CliRunner().invoke(main, [str(word) for word in arguments])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    last = result.output.strip().splitlines()[-1]
    assert last.startswith("Error: ") and "Traceback" not in result.output
    return last


@pytest.mark.parametrize("command", LOOKING, ids=lambda words: words[0])
def test_a_root_that_is_none(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    for root in ("missing", "empty", "file"):
        assert root in refused(*command, "--root", tmp_path / root)


@pytest.mark.parametrize("command", ["show", "report"])
@pytest.mark.parametrize("number", ["0", "-1", "2", "one", "1.5"])
def test_a_run_that_is_none(command: str, number: str, tmp_path: Path) -> None:
    store = connect(str(tmp_path / STORE))
    kind = store.put_context_type(pb2.ContextType(name="pipeline_run"))
    store.put_contexts([pb2.Context(type_id=kind, name="2026-01-02T03:04:05")])
    sentence = refused(command, "--root", tmp_path, "--run", number)
    assert "--run" in sentence and number in sentence


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_store_without_a_run(command: str, tmp_path: Path) -> None:
    connect(str(tmp_path / STORE)).get_contexts()
    assert "knows of no run" in refused(command, "--root", tmp_path)


@pytest.mark.parametrize("command", LOOKING[:3], ids=lambda words: words[0])
def test_a_store_that_is_none(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / STORE).write_text("no data base, " * 200)
    assert STORE in refused(*command, "--root", tmp_path)


@pytest.mark.parametrize("port", ["http", "-1", "65536"])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    (tmp_path / "tensorboard").mkdir()
    assert "--port" in refused("tensorboard", "--root", tmp_path, "--port", port)


def test_a_port_that_is_taken_ends_with_status_1(tmp_path: Path) -> None:
    import socket

    (tmp_path / "tensorboard").mkdir()
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(
            main, ["tensorboard", "--root", str(tmp_path), "--port", port]
        )
    assert result.exit_code == 1 and port in result.output


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((), "Either --user or --slice"),
        (("--user", "u", "--slice", "a=b"), "not both"),
        (("--slice", "gender"), "NAME=VALUE"),
        (("--user", "u", "--top", "0"), "at least 1"),
        (("--user", "u", "--top", "many"), "--top"),
        (("--user", "u", "--out", "a.gif"), ".png or .html"),
        (("--user", "u", "--out", "no/such/folder/a.png"), "no/such/folder"),
    ],
)
def test_a_question_that_is_none(asked: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused("explain", "--root", "missing", *asked)

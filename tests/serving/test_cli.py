"""What a person at a terminal sees."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from serving.cli import main
from serving.client.client import RecommenderClient


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_recommend_prints_a_table(target: str) -> None:
    result = _run("recommend", "--user", "u1", "-k", "2", "--target", target)
    assert result.exit_code == 0
    assert "Recommended for u1" in result.output
    lines = [line.split("│")[1:-1] for line in result.output.splitlines()]
    rows = [[cell.strip() for cell in line] for line in lines if line]
    assert rows == [["1", "v7", "7.1000"], ["2", "v6", "6.1000"]]


def test_recommend_prints_json_for_machines(target: str) -> None:
    result = _run(
        *("recommend", "--user", "u1", "-k", "2", "--exclude", "v7"),
        *("--json", "--target", target),
    )
    found = json.loads(result.output)
    assert [video["video_id"] for video in found] == ["v6", "v5"]
    assert found[0]["score"] == pytest.approx(6.1)


def test_a_user_and_a_video_that_the_model_does_not_know_are_named(
    target: str,
) -> None:
    counts = "only what the request tells of them counts"
    of_user = f"The model does not know user nobody; {counts}."
    known = _run("recommend", "--user", "u1", "--target", target)
    recommended = _run("recommend", "--user", "nobody", "--target", target)
    explained = _run(
        *("explain", "--user", "nobody", "--video", "none", "--target", target)
    )
    assert "does not know" not in known.output
    assert of_user in recommended.output.splitlines()
    assert of_user in explained.output.splitlines()
    assert "The model does not know video none;" in explained.output


def test_rank_prints_the_best_first(target: str) -> None:
    result = _run(
        *("rank", "--user", "u1", "--videos", "v2,v5,v3", "--json"),
        *("--target", target),
    )
    found = [video["video_id"] for video in json.loads(result.output)]
    assert found == ["v5", "v3", "v2"]


def test_explain_draws_longer_bars_for_larger_weights(target: str) -> None:
    result = _run("explain", "--user", "u1", "--video", "v2", "--target", target)
    bars = [line.count("█") for line in result.output.splitlines() if "│" in line]
    assert bars == [5, 7, 12, 2, 2, 19, 6, 18, 12, 12]


def test_explain_prints_json_for_machines(target: str) -> None:
    result = _run(
        *("explain", "--user", "u1", "--video", "v2", "--json", "--target", target)
    )
    assert json.loads(result.output)["user"]["facets"] == ["user_id", "gender"]


def _explained(target: str, out: Path, *arguments: str) -> Any:
    """The JSON that is printed beside the file."""
    result = _run(
        *("explain", "--user", "u1", "--out", str(out), "--json", *arguments),
        *("--target", target),
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.output.replace(str(out), ""))


def _rows(page: str) -> list[list[str]]:
    return [
        re.findall(r"<td[^>]*>([^<]*)</td>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", page)
        if "<td" in row
    ]


def test_the_cells_of_an_explained_pair_are_the_weights(
    target: str, tmp_path: Path
) -> None:
    out = tmp_path / "pair.html"
    found = _explained(target, out, "--video", "v2")
    every = [*found["video"]["weights"], *found["user"]["weights"]]
    assert _rows(out.read_text()) == [[f"{w:.3f}" for w in hop] for hop in every]


def test_a_users_best_videos_are_explained_together(
    target: str, tmp_path: Path
) -> None:
    out = tmp_path / "user.html"
    found = _explained(target, out, "--top", "3")
    assert [pair["video_id"] for pair in found] == ["v7", "v6", "v5"]
    hops = len(found[0]["video"]["weights"])
    weights = [pair["video"]["weights"][-1] for pair in found]
    rows = _rows(out.read_text())
    assert rows[-3:] == [[f"{w:.3f}" for w in hop] for hop in weights]
    mean = np.mean([pair["video"]["weights"] for pair in found], axis=0)
    assert rows[:hops] == [[f"{w:.3f}" for w in hop] for hop in mean]


def test_an_explanation_is_a_picture(target: str, tmp_path: Path) -> None:
    out = tmp_path / "pair.png"
    _explained(target, out, "--video", "v2")
    with Image.open(out) as picture:
        assert picture.width > 200 and picture.height > 200


def test_a_picture_that_cannot_be_written_is_one_sentence(
    target: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "pair.html")
    asked = ("--user", "u1", "--video", "v2", "--target", target)
    result = _run("explain", *asked, "--out", out)
    assert result.exit_code == 1
    assert out in result.output and result.output.count("\n") == 1


def test_another_ending_is_refused(target: str) -> None:
    result = _run("explain", "--user", "u1", "--out", "x.pdf", "--target", target)
    assert result.exit_code == 2
    assert "The name should end in .png or .html." in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--user", ""], "Error: `user_id` should be a non-empty string."),
        (["--user", "u", "-k", "0"], "Error: `k` should be a positive int."),
        (["--user", "u", "--model-name", "x"], "has no such model ready: Servable"),
        (["--user", "u", "--target", "127.0.0.1:1"], "No server answers at 127."),
        (
            ["--user", "u", "--timeout", "0"],
            "Error: `timeout_s` should be a positive number",
        ),
    ],
)
def test_a_failure_is_one_sentence_and_status_1(
    target: str, arguments: list[str], sentence: str
) -> None:
    where = [] if "--target" in arguments else ["--target", target]
    result = _run("recommend", *where, *arguments)
    assert result.exit_code == 1
    assert sentence in result.output
    assert result.output.count("\n") == 1


def test_a_deadline_is_one_sentence_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        result = _run(
            *("recommend", "--user", "u", "--timeout", "0.2", "--target", where)
        )
    assert result.exit_code == 1
    assert "did not answer in time" in result.output


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(*flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "serving", "serve", "--host=127.0.0.1", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("dash", ["-", "_"])
def test_serve_takes_either_spelling_and_stops_when_told(
    models: Path, dash: str
) -> None:
    port = _free_port()
    server = _serve(
        f"--model{dash}base{dash}path={models / 'uvcan'}",
        f"--model{dash}name=uvcan",
        f"--port={port}",
        "--no_such_flag=1",
    )
    with RecommenderClient(f"127.0.0.1:{port}", timeout_s=60) as client:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                best = client.recommend("u1", k=1)
                break
            except Exception:
                time.sleep(0.2)
    server.send_signal(signal.SIGTERM)
    out, error = server.communicate(timeout=30)
    assert best[0].video_id == "v7"
    assert server.returncode == 0
    assert out == f"Serving gRPC on 127.0.0.1:{port}.\nStopped.\n"
    assert error == "unknown argument: --no_such_flag=1\n"


@pytest.mark.slow
def test_serve_of_nothing_says_so_and_ends_with_255() -> None:
    server = _serve("--port=0")
    out, error = server.communicate(timeout=60)
    assert server.returncode == 255
    assert error == (
        "Failed to start server. Error: INVALID_ARGUMENT: Both server_options."
        "model_base_path and server_options.model_config_file are empty!\n"
    )

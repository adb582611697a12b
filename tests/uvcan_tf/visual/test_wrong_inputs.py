"""`data visual` on what cannot be used: one sentence each, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from uvcan_tf.data.cli import data

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables of one video, a file of it, and files of text."""
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "users.csv").write_text("user_id\nu\n")
    (tables / "videos.csv").write_text("video_id\nv\n")
    (tables / "interactions.csv").write_text("user_id,video_id\nu,v\n")
    (tables / "features.json").write_text('{"user": [], "video": []}')
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "v.mp4").write_text("no film")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("text")
    return tmp_path


def refused(folder: Path, **given: str) -> str:
    options = {"videos": "clips", "tables": "tables", "weights": "text", **given}
    paths = ("videos", "tables", "weights", "frames", "config")
    words = [
        word
        for name, value in options.items()
        for word in (f"--{name}", str(folder / value) if name in paths else value)
    ]
    result = CliRunner().invoke(data, ["visual", *words])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    last = result.output.strip().splitlines()[-1]
    assert last.startswith("Error: ") and "Traceback" not in result.output
    assert not (folder / "tables" / "visual.npy").exists()
    return last


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"videos": "missing"}, "missing"),
        ({"videos": "empty"}, "0 files"),
        ({"videos": "text"}, "text"),
        ({"tables": "missing"}, "missing"),
        ({"tables": "empty"}, "empty"),
        ({"tables": "text"}, "text"),
        ({"weights": "missing"}, "no such file"),
        ({"weights": "text"}, "Inception-v3"),
        ({"weights": "clips"}, "clips"),
        ({"config": "missing"}, "missing"),
        ({"config": "text"}, "text"),
        ({"frames": "text"}, "text"),
        ({"components": "0"}, "components"),
        ({"components": "some"}, "some"),
        ({"workers": "0"}, "workers"),
        ({"workers": "two"}, "two"),
        ({"column": "a/b"}, "a/b"),
    ],
)
def test_each_is_named(given: dict[str, str], named: str, folder: Path) -> None:
    assert named in refused(folder, **given)


@pytest.mark.long
def test_a_folder_of_frames_that_cannot_be_made(folder: Path, weights: Path) -> None:
    (folder / "weights.h5").write_bytes(weights.read_bytes())
    sentence = refused(folder, weights="weights.h5", frames="text/frames")
    assert "text/frames" in sentence and "Not a directory" in sentence

"""A run that was killed goes on where it was: `make drills` runs this."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.uvcan_tf.visual.test_run import clip

pytestmark = pytest.mark.drill

VIDEOS = [f"v{number:02}" for number in range(40)]


def command(folder: Path, tables: str) -> list[str]:
    return [
        *(sys.executable, "-m", "uvcan_tf", "data", "visual"),
        *("--videos", str(folder / "clips"), "--tables", str(folder / tables)),
        *("--weights", str(folder / "weights.h5"), "--components", "9"),
    ]


def write_tables(folder: Path) -> None:
    folder.mkdir()
    (folder / "users.csv").write_text("user_id\nu\nw\n")
    lines = "".join(f"{video}\n" for video in VIDEOS)
    (folder / "videos.csv").write_text(f"video_id\n{lines}")
    (folder / "features.json").write_text('{"user": [], "video": []}')
    pairs = "".join(f"{user},{video}\n" for user in "uw" for video in VIDEOS)
    (folder / "interactions.csv").write_text(f"user_id,video_id\n{pairs}")


def test_a_killed_run_goes_on_and_decodes_nothing_twice(
    tmp_path: Path, weights: Path
) -> None:
    (tmp_path / "clips").mkdir()
    for seed, name in enumerate(VIDEOS):
        clip(tmp_path / "clips" / f"{name}.mp4", seed, 1)
    (tmp_path / "weights.h5").symlink_to(weights)
    for name in ("killed", "whole"):
        write_tables(tmp_path / name)

    process = subprocess.Popen(command(tmp_path, "killed"))
    store = tmp_path / "killed-frames"
    while not (kept := sorted(store.rglob("*.parquet"))):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    times = [path.stat().st_mtime_ns for path in kept]
    assert len(kept) < 3
    assert not (tmp_path / "killed" / "visual.npy").exists()

    for name in ("killed", "whole"):
        subprocess.run(command(tmp_path, name), check=True)
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert len(list(store.rglob("*.parquet"))) == 3
    found, expected = (
        np.load(tmp_path / name / "visual.npy") for name in ("killed", "whole")
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)

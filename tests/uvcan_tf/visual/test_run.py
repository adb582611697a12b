"""From files to vectors, beside a simple loop, Keras and NumPy's SVD.

The network is the real one with random weights; clips are of noise, so that their
frames differ.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.uvcan_tf.visual.clips import sound, write
from uvcan_tf.data.cli import data
from uvcan_tf.data.tables import read_tables
from uvcan_tf.features import VISUAL, of_folder
from uvcan_tf.visual.pca import load

pytestmark = pytest.mark.long

VIDEOS = ("a", "b", "broken", "c", "d", "nofile")
RATE = 4


def clip(path: Path, seed: int, length: int) -> Path:
    """Coarse coloured noise, another one in each second."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (length, 4, 5, 3), dtype=np.uint8)
    pictures = blocks.repeat(16, axis=1).repeat(16, axis=2).repeat(RATE, axis=0)
    shown = [(1000 * n // RATE, picture) for n, picture in enumerate(pictures)]
    return write(path, shown)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A folder with clips and tables, and the result of a first run."""
    folder = tmp_path_factory.mktemp("visual")
    (folder / "clips").mkdir()
    for seed, (name, length) in enumerate({"a": 3, "b": 2, "c": 3, "d": 2}.items()):
        clip(folder / "clips" / f"{name}.mp4", seed, length)
    sound(folder / "clips" / "broken.m4a")
    tables = folder / "tables"
    tables.mkdir()
    (tables / "users.csv").write_text("user_id\nu\n")
    lines = "".join(f"{video},x\n" for video in VIDEOS)
    (tables / "videos.csv").write_text(f"video_id,author_id\n{lines}")
    (tables / "features.json").write_text('{"user": [], "video": ["author_id"]}')
    pairs = "".join(f"u,{v},{n}\n" for n, v in enumerate(["a", "b", "c", "d"]))
    (tables / "interactions.csv").write_text(f"user_id,video_id,timestamp\n{pairs}")
    (folder / "config.json").write_text('{"evaluation": {"split": "last"}}')
    shutil.copy(weights, folder / "weights.h5")
    result = run(folder)
    (folder / "said.txt").write_text(f"{result.exit_code}\n{result.output}")
    return folder


def run(folder: Path, *more: object) -> Result:
    """The command; its split leaves the last like, which is of `d`, to the test."""
    words = ["--videos", folder / "clips", "--tables", folder / "tables"]
    words += ["--weights", folder / "weights.h5", "--config", folder / "config.json"]
    words = [VISUAL, *words, *more]
    return CliRunner().invoke(data, [str(word) for word in words])


def decoded(path: Path) -> np.ndarray:
    """Every frame, then those with which a second begins."""
    with av.open(str(path)) as container:
        every = [
            frame.reformat(299, 299, "rgb24").to_ndarray()
            for frame in container.decode(video=0)
        ]
    return np.stack(every[::RATE])


def test_vectors_are_those_of_a_simple_loop(made: Path, model: Any) -> None:
    raw = {
        name: model.predict(
            decoded(made / "clips" / f"{name}.mp4") / 127.5 - 1, verbose=0
        ).astype(np.float64)
        for name in "abcd"
    }
    train = np.concatenate([raw[name] for name in "abc"])  # 8 frames
    _, spread, axes = np.linalg.svd(train - train.mean(axis=0), full_matrices=False)
    pca = axes[:7].T / spread[:7] * np.sqrt(7)
    tables = made / "tables"
    found = read_tables(tables, of_folder(tables)).videos[VISUAL].to_pylist()
    there = [row for row, name in enumerate(VIDEOS) if found[row] is not None]
    assert [VIDEOS[row] for row in there] == ["a", "b", "c", "d"]
    vectors = np.array([found[row] for row in there])
    expected = np.stack(
        [((raw[name] - train.mean(axis=0)) @ pca).mean(axis=0) for name in "abcd"]
    )
    expected *= np.sign((expected * vectors).sum(axis=0))
    np.testing.assert_allclose(vectors, expected, atol=2e-3)


def test_whitened_training_frames_have_the_identity_as_covariance(
    made: Path, model: Any
) -> None:
    frames = np.concatenate([decoded(made / "clips" / f"{name}.mp4") for name in "abc"])
    pca = load(made / "tables" / "visual_pca.npz")
    assert pca.frames == len(frames) == 8
    whitened = pca(model.predict(frames / 127.5 - 1, verbose=0))
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(7), atol=5e-3)


def test_a_broken_file_is_named_and_the_exit_status_tells(made: Path) -> None:
    said = (made / "said.txt").read_text().splitlines()
    assert said[0] == "2"
    assert "4 of 6 videos have a vector of 7 numbers" in said[1]
    assert said[-1] == "  broken.m4a has no video stream."
    assert "Note: 1 videos of the tables have no file." in said


def test_a_new_video_decodes_itself_alone(made: Path, tmp_path: Path) -> None:
    """The old clips are made unreadable, with the old size and time."""
    shutil.copytree(made, tmp_path / "m")
    before = np.load(made / "tables" / "visual.npy")
    for path in (tmp_path / "m" / "clips").iterdir():
        shutil.copystat(made / "clips" / path.name, path)
        size = path.stat().st_size
        path.write_bytes(bytes(size))
        shutil.copystat(made / "clips" / path.name, path)
    clip(tmp_path / "m" / "clips" / "nofile.mp4", 9, 2)
    result = run(tmp_path / "m")
    assert "5 of 6 videos have a vector of 7 numbers" in result.output
    assert "as fitted before, on 8 frames" in result.output
    after = np.load(tmp_path / "m" / "tables" / "visual.npy")
    np.testing.assert_array_equal(after[:5], before[:5])
    assert np.any(after[5])


def test_the_pca_is_fitted_anew_without_the_videos(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "m")
    before = np.load(made / "tables" / "visual.npy")
    result = run(tmp_path / "m", "--refit", "--components", 3)
    assert "fitted now, on 8 frames" in result.output
    after = np.load(tmp_path / "m" / "tables" / "visual.npy")
    np.testing.assert_allclose(after, before[:, :3], atol=1e-4)
    assert of_folder(tmp_path / "m" / "tables").video[-1].length == 3


def test_missing_weights_are_a_sentence(made: Path) -> None:
    result = run(made, "--weights", made / "nowhere.h5")
    assert result.exit_code == 1
    assert result.output.endswith(
        "nowhere.h5 should be a file of Keras' Inception-v3, "
        "`.h5` or `.keras`. Received: no such file.\n"
    )

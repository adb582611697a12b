"""Video files to vectors: what can be read, and what it costs.

The network has random weights: they cost what trained ones cost. Figures are CPU
seconds, which other work on the machine changes little, and wall times beside them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import tensorflow as tf

from uvcan_tf.errors import DataError
from uvcan_tf.visual.frames import frames
from uvcan_tf.visual.network import inception, network
from uvcan_tf.visual.weights import read_weights

#: The paper's videos, and a micro-video's length and rate as they are made here.
VIDEOS: Final = 50_574
SECONDS, RATE = 15, 30
_SOURCE: Final = ("-f", "lavfi", "-i")
_PICTURE: Final = "testsrc2=size={}:rate=30:duration={}"
_H264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
_X265: Final = ("-c:v", "libx265", "-x265-params", "log-level=none")
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "portrait.mp4": _H264,
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
    "hevc_10_bit.mp4": (*_X265, "-pix_fmt", "yuv420p10le"),
    "variable_rate.mkv": ("-vf", r"select=lt(n\,20)+not(mod(n\,7))", "-vsync", "vfr"),
    "one_frame.mp4": ("-frames:v", "1", *_H264),
    "animated.gif": ("-c:v", "gif"),
    "index_first.mp4": (*_H264, "-movflags", "+faststart"),
    "fragmented.mp4": (*_H264, "-movflags", "frag_keyframe+empty_moov"),
}


def measure(folder: Path) -> dict[str, Any]:
    """Every kind of clip, then rates, then whole runs with one and two workers."""
    if shutil.which("ffmpeg") is None:
        raise click.ClickException(
            "The clips are made by `ffmpeg`, which is not installed: run "
            "`apt-get install ffmpeg`."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    weights = folder / "random.h5"
    inception().save_weights(weights)
    rates = _rates(_clip(folder / "rate.mp4", SECONDS), weights)
    a_video = (
        SECONDS * RATE / rates["decoded_frames_per_cpu_s"]
        + SECONDS / rates["embedded_frames_per_cpu_s"]
    )
    return {
        "clips": _kinds(folder / "kinds"),
        **rates,
        "cpu_hours_of_the_papers_videos": round(VIDEOS * a_video / 3600, 1),
        "workers": [_run(folder, weights, workers) for workers in (1, 2)],
    }


def _clip(path: Path, length: int, *options: str) -> Path:
    source = _PICTURE.format("720x1280", length)
    command = ["ffmpeg", "-v", "error", "-y", *_SOURCE, source]
    subprocess.run([*command, *(options or _H264), str(path)], check=True)
    return path


def _kinds(folder: Path) -> dict[str, str]:
    """What each kind of file gives, of three seconds each."""
    folder.mkdir()
    for name, options in _KINDS.items():
        _clip(folder / name, 3, *options)
    portrait = (folder / "portrait.mp4").read_bytes()
    first = (folder / "index_first.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(first[: len(first) * 6 // 10])
    (folder / "no_index.mp4").write_bytes(portrait[: len(portrait) * 6 // 10])
    (folder / "empty.mp4").touch()
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(100_000))
    turn = ["ffmpeg", "-v", "error", "-i", str(folder / "portrait.mp4"), "-c", "copy"]
    turn += ["-metadata:s:v", "rotate=90", str(folder / "rotated.mp4")]
    subprocess.run(turn, check=True)
    sound = ["ffmpeg", "-v", "error", *_SOURCE, "sine=d=2", str(folder / "sound.m4a")]
    subprocess.run(sound, check=True)
    return {path.name: _found(path) for path in sorted(folder.iterdir())}


def _found(path: Path) -> str:
    count, reason = 0, ""
    try:
        for _ in frames(str(path), path.name):
            count += 1
    except DataError as error:
        reason = f"; {error}"
    return f"{count} frames{reason}"


def _rates(clip: Path, weights: Path) -> dict[str, float]:
    start = time.process_time()
    images = np.stack(list(frames(str(clip), clip.name)))
    decoding = time.process_time() - start
    batch = np.concatenate([images, images, images[:2]])  # 32 frames
    activations = network(read_weights(weights))
    activations(batch)
    start = time.process_time()
    for _ in range(3):
        activations(batch)
    embedding = time.process_time() - start
    return {
        "decoded_frames_per_cpu_s": round(SECONDS * RATE / decoding),
        "embedded_frames_per_cpu_s": round(3 * len(batch) / embedding, 1),
    }


def _run(folder: Path, weights: Path, workers: int) -> dict[str, float]:
    """The command, over 32 videos of three seconds, in processes of its own."""
    videos = [f"v{number}" for number in range(32)]
    clips, tables = folder / f"clips{workers}", folder / f"tables{workers}"
    clips.mkdir()
    tables.mkdir()
    clip = _clip(folder / "three.mp4", 3)
    for video in videos:
        os.link(clip, clips / f"{video}.mp4")
    (tables / "users.csv").write_text("user_id\nu\n")
    (tables / "videos.csv").write_text("video_id\n" + "\n".join(videos) + "\n")
    pairs = "".join(f"u,{video}\n" for video in videos)
    (tables / "interactions.csv").write_text(f"user_id,video_id\n{pairs}")
    (tables / "features.json").write_text('{"user": [], "video": []}')
    command = [sys.executable, "-m", "uvcan_tf", "data", "visual", "--videos", clips]
    command += ["--tables", tables, "--weights", weights, "--workers", workers]
    before, start = _children(), time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    wall = time.perf_counter() - start
    return {
        "workers": workers,
        "frames": 3 * len(videos),
        "cpu_s": round(_children() - before, 1),
        "wall_s": round(wall, 1),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write(found: Mapping[str, Any], path: Path) -> None:
    """Keeps the figures, with what they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "tensorflow": tf.__version__}
    text = json.dumps({**machine, **found}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")

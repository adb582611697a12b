"""Both locks hold what is asked for, and packages of the same behaviour."""

from __future__ import annotations

import re
from pathlib import Path

import farmhash
import pytest
import tensorflow as tf

FOLDER = Path(__file__).parents[2] / "requirements"
STACKS = ("py310-tfx116", "py312-tfx121")
PIN = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?(?:==([^\s;#]+))?")


def asked(path: Path) -> dict[str, str | None]:
    """Package and exact release, or None where any fits."""
    found: dict[str, str | None] = {}
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            found |= asked(path.parent / line.removeprefix("-r "))
        elif match := PIN.match(line):
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_a_lock_holds_what_is_asked_for(stack: str) -> None:
    lock = asked(FOLDER / f"{stack}.txt")
    assert None not in lock.values()
    wanted = asked(FOLDER / f"{stack}.in")
    override = FOLDER / f"{stack}.override"
    wanted |= asked(override) if override.exists() else {}
    assert wanted.keys() <= lock.keys()
    exact = {name: release for name, release in wanted.items() if release}
    assert exact == {name: lock[name] for name in exact}


@pytest.mark.parametrize("stack", STACKS)
def test_the_developers_tools_fit_the_lock(stack: str) -> None:
    lock, tools = asked(FOLDER / f"{stack}.txt"), asked(FOLDER / f"{stack}-dev.txt")
    both = lock.keys() & tools.keys()
    assert {name: tools[name] for name in both} == {name: lock[name] for name in both}
    assert asked(FOLDER / "dev.in").keys() <= tools.keys()


def test_the_lock_of_today_is_the_newest() -> None:
    today = (FOLDER.parent / "requirements.txt").read_text()
    assert today.endswith(f"-r requirements/{STACKS[-1]}.txt\n")


def test_the_image_holds_the_newest_lock_without_what_is_left_out() -> None:
    lock, image = (asked(FOLDER / f"{STACKS[-1]}{x}.txt") for x in ("", "-image"))
    left_out = asked(FOLDER / f"{STACKS[-1]}-image.excludes").keys()
    assert left_out <= lock.keys()
    assert not left_out & image.keys()
    cpu = image.pop("tensorflow-cpu")
    assert cpu == lock["tensorflow"]
    assert image == {name: lock[name] for name in image}


@pytest.mark.parametrize("text", ["", "video_id", "naïve", "x" * 100])
def test_fingerprints_are_those_of_farmhash(text: str) -> None:
    """TensorFlow's own FarmHash is the oracle; TFDV hashes with `pyfarmhash`."""
    buckets = 2**63 - 1
    hashed = tf.strings.to_hash_bucket_fast(text, buckets).numpy()
    assert farmhash.fingerprint64(text) % buckets == hashed

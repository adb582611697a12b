"""A version is pushed as a whole or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.server import storage
from tfx_pipeline.pusher import is_whole, newest_version, push

pytestmark = pytest.mark.slow  # TFX's import


def _model(folder: Path, content: bytes = b"graph") -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(content)
    (folder / "variables" / "variables.data").write_bytes(content * 7)
    (folder / "variables" / "variables.index").write_bytes(content)
    return folder


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_pushed_version_holds_every_byte(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    version = push(model, tmp_path / "serving")
    assert _names(tmp_path / "serving") == {version.name}
    for name in ("saved_model.pb", "variables/variables.data"):
        assert (version / name).read_bytes() == (model / name).read_bytes()


def test_the_same_model_is_pushed_once(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    first = push(model, tmp_path / "serving")
    assert push(model, tmp_path / "serving") == first
    assert _names(tmp_path / "serving") == {first.name}


def test_another_model_of_the_same_second_gets_a_higher_number(tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    numbers = [
        int(push(_model(tmp_path / f"model {n}", f"graph {n}".encode()), serving).name)
        for n in range(3)
    ]
    assert numbers == sorted(set(numbers))


def test_what_a_killed_push_left_is_swept_away(tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    (serving / ".incomplete-5").mkdir(parents=True)
    version = push(_model(tmp_path / "model"), serving)
    assert _names(serving) == {version.name}


def test_a_folder_without_its_model_is_no_version(tmp_path: Path) -> None:
    whole = push(_model(tmp_path / "model"), tmp_path / "serving")
    (tmp_path / "serving" / "99999999999").mkdir()
    assert newest_version(tmp_path / "serving") == whole


def test_the_server_has_the_same_rule(tmp_path: Path) -> None:
    """Neither may import the other."""
    version = _model(tmp_path / "1")
    for missing, whole in (
        ("saved_model.pb", False),
        ("variables/variables.index", False),
        ("variables", True),  # a model may have none
    ):
        path = version / missing
        aside = path.rename(tmp_path / "aside")
        assert is_whole(version) == storage.is_whole(version) == whole
        aside.rename(path)
    assert is_whole(version) and storage.is_whole(version)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_version_and_nothing_else(
    tmp_path: Path, small_disk: Path
) -> None:
    serving = small_disk / "serving"
    old = push(_model(tmp_path / "old"), serving)
    large = _model(tmp_path / "large", b"graph" * 60_000)
    with pytest.raises(OSError, match="No space left on device"):
        push(large, serving)
    assert _names(serving) == {old.name}
    assert newest_version(serving) == old


def test_a_version_whose_card_tells_more_is_the_same_model(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    version = push(model, tmp_path / "serving")
    (version / "assets.extra").mkdir()
    (version / "assets.extra" / "model_card.json").write_text("{}")
    assert push(model, tmp_path / "serving") == version

"""The device is the user's choice; nothing hides one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from uvcan_tf.__main__ import group
from uvcan_tf.terminal.device import VISIBLE, choose_device

ROOT = Path(__file__).parents[3]


def _visible_after(code: str, given: str | None = None) -> str:
    """What the variable says after the code ran in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != VISIBLE}
    if given is not None:
        environment[VISIBLE] = given
    code += f"\nimport os\nprint(os.environ.get({VISIBLE!r}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def _after_choosing(device: str, given: str | None = None) -> str:
    code = f"from uvcan_tf.terminal.device import choose_device as c; c({device!r})"
    return _visible_after(code, given)


def test_being_quiet_hides_no_device() -> None:
    code = "from uvcan_tf.terminal.quiet import quiet; quiet()"
    assert _visible_after(code) == "None"
    assert _visible_after(code, given="1") == "1"


def test_auto_leaves_everything_as_it_is() -> None:
    assert _after_choosing("auto") == "None"
    assert _after_choosing("auto", given="1") == "1"


def test_cpu_hides_every_gpu() -> None:
    assert _after_choosing("cpu") == "-1"


def test_only_the_users_choice_names_the_variable() -> None:
    packages = ("uvcan_tf", "serving", "tfx_pipeline", "benchmarks", "scripts")
    files = [path for p in packages for path in (ROOT / p).rglob("*") if path.is_file()]
    naming = [
        str(path.relative_to(ROOT))
        for path in [*files, ROOT / "Makefile", ROOT / "Dockerfile"]
        if path.suffix != ".pyc" and VISIBLE.encode() in path.read_bytes()
    ]
    assert naming == ["uvcan_tf/terminal/device.py"]


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:x", "GPU", "0"])
def test_another_word_is_refused_in_a_sentence(device: str) -> None:
    with pytest.raises(ValueError, match=f"`--device` .* Received: {device}."):
        choose_device(device)


def test_a_choice_that_comes_too_late_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", os)
    with pytest.raises(ValueError, match="before TensorFlow is imported"):
        choose_device("cpu")


@pytest.mark.slow
def test_a_gpu_that_is_not_there_is_refused_in_a_sentence() -> None:
    environment = {**os.environ, VISIBLE: "-1"}
    command = [sys.executable, "-m", "uvcan_tf", "--device", "gpu", "data", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "`--device gpu` should name a GPU that TensorFlow finds." in done.stderr


def test_a_wrong_device_ends_the_command() -> None:
    result = CliRunner().invoke(group, ["--device", "tpu", "data", "--help"])
    assert result.exit_code == 2
    assert "Received: tpu." in result.output

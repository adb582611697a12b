"""Scripts leave alone what is not theirs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_setting_up_never_clears_what_a_link_points_to(tmp_path: Path) -> None:
    checkout, shared = tmp_path / "checkout", tmp_path / "shared"
    (checkout / "scripts").mkdir(parents=True)
    shared.mkdir()
    (shared / "precious").touch()
    shutil.copy(ROOT / "scripts" / "setup", checkout / "scripts" / "setup")
    (checkout / ".venv").symlink_to(shared)
    command = [str(checkout / "scripts" / "setup")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Received: a link to" in done.stderr
    assert (shared / "precious").exists()

"""Tables that lie elsewhere come whole, with the folders of their part files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfx_pipeline import addresses


def test_a_copy_has_the_part_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    files = ["users.csv", "interactions/part-0.csv", "interactions/span-3/part-1.csv"]
    for name in files:
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_text(name)
    monkeypatch.setattr(addresses, "is_local", lambda _: False)
    copy = addresses.fetched(str(there), str(tmp_path))
    found = [path for path in copy.rglob("*") if path.is_file()]
    assert {str(p.relative_to(copy)): p.read_text() for p in found} == {
        name: name for name in files
    }

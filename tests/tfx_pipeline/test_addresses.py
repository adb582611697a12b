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


def test_listed_files_have_names_and_lengths_and_no_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    (there / "interactions" / "dt=2022-04-09").mkdir(parents=True)
    name = "interactions/dt=2022-04-09/part-0.csv"
    (there / name).write_text("user_id")
    (there / "users.csv").write_text("user_id\nu1\n")
    assert addresses.listed(str(there), str(tmp_path)) == there
    monkeypatch.setattr(addresses, "is_local", lambda _: False)
    folder = addresses.listed(str(there), str(tmp_path / "scratch"))
    assert (folder / name).read_bytes() == bytes(7)
    assert (folder / "users.csv").stat().st_size == 11


def test_a_worker_has_copies_of_the_files_that_it_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    (there / "span-3").mkdir(parents=True)
    for name in ("span-3/part-0.csv", "users.csv"):
        (there / name).write_text(name)
    monkeypatch.setattr(addresses, "is_local", lambda _: False)
    with addresses.local_files(str(there), ["span-3/part-0.csv"]) as folder:
        assert (folder / "span-3" / "part-0.csv").read_text() == "span-3/part-0.csv"
        assert not (folder / "users.csv").exists()
    assert not folder.exists()

"""The review of advisories is of the packages that the locks pin."""

from __future__ import annotations

import re

import pytest

from tests.scripts.test_locks import FOLDER, STACKS, asked

PAGE = (FOLDER.parent / "docs" / "supply-chain.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \| ([0-9.]+) \|", PAGE, re.M)


@pytest.mark.parametrize("stack", STACKS)
def test_the_review_names_the_pinned_versions(stack: str) -> None:
    """A renewed lock needs a renewed review."""
    lock, column = asked(FOLDER / f"{stack}.txt"), 1 + STACKS.index(stack)
    assert len(ROWS) > 15
    reviewed = {row[0]: row[column] for row in ROWS}
    assert reviewed == {name: lock[name] for name in reviewed}

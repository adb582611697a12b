"""Pages of real runs in a real browser without a network, at a desk and on a phone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import PROGRAMS, Browser, browser
from tests.tfx_pipeline.small_runs import SETTINGS, Small

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason="no chromium with its driver here"
    ),
]

#: The headings of a run that came to its end.
WHOLE = (
    *("Evaluation", "Learning curves", "Attention", "Recommendations", "Data"),
    *("Components", "Lineage", "Model card"),
)
DESK, PHONE = 1280, 390
_ROWS = "[...document.querySelectorAll('#data tr, .weights tr')]"
_TALLEST = f"Math.max(...{_ROWS}.map(row => row.offsetHeight))"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first run, one with other settings and a baseline, and one that fails."""
    small = Small(tmp_path_factory.mktemp("page"))
    root = small.folder / "root"
    training = SETTINGS["training"]
    changes: tuple[dict[str, Any], ...]
    changes = ({}, {"epochs": 9}, {"distribute": "multi-worker"})
    for number, changed in enumerate(changes, start=1):
        settings = {**SETTINGS, "training": {**training, **changed}}
        file = small.folder / f"config-{number}.json"
        file.write_text(json.dumps(settings))
        tolerance = ("--tolerance", "0.5")
        status, screen = small.run(root, "--config", str(file), *tolerance)
        assert status == (number == 3), screen
    return root


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.turn_network_off()
        yield opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize(
    ("number", "texts"),
    [
        (1, (*WHOLE, "There was no blessed model before", "Pushed to")),
        (2, (*WHOLE, "Beside each figure", "baseline")),
        (3, ("Failed: Trainer", "TF_CONFIG should be", "Data", "Components")),
    ],
    ids=["first", "second", "failed"],
)
def test_a_page_shows_its_run(
    number: int,
    texts: tuple[str, ...],
    width: int,
    dark: bool,
    root: Path,
    window: Browser,
    request: pytest.FixtureRequest,
) -> None:
    window.look(width, dark)
    window.open((root / f"runs/{number}/report.html").as_uri())
    window.wait_for(f"Run {number}", *texts, within_s=10)
    window.run("document.querySelector('details')?.setAttribute('open', '')")
    assert window.run("return document.documentElement.scrollWidth") <= width
    assert window.run(f"return {_TALLEST}") < 70  # no cell is squeezed to a letter
    assert window.run("return performance.getEntriesByType('resource').length") == 0
    colours = "const s = getComputedStyle(document.body); return [%s]"
    back, text = window.run(colours % "s.backgroundColor, s.color")
    assert (_light(back), _light(text)) == ((False, True) if dark else (True, False))
    folder = request.config.getoption("--screenshots")
    if folder:
        window.look(width, dark, window.run("return document.body.scrollHeight"))
        scheme = "dark" if dark else "light"
        window.picture(Path(folder) / f"report-{number}-{width}-{scheme}.png")


def _light(colour: str) -> bool:
    """Of `rgb(1, 2, 3)`."""
    red, green, blue = map(int, colour.partition("(")[2].rstrip(")").split(","))
    return red + green + blue > 3 * 128

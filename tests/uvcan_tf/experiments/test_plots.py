"""What a person sees of many methods: few colours, each with its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from uvcan_tf.experiments import plots

METHODS = [f"method {number:02}" for number in range(15)]


@pytest.fixture
def figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """Lines of 15 methods; the first is the subject and the weakest."""
    made: list[Figure] = []

    def make(*given: Any, **named: Any) -> Figure:
        made.append(Figure(*given, **named))
        return made[-1]

    monkeypatch.setattr(plots, "Figure", make)
    rows = [
        {"method": method, "protocol": "full", "metric": metric, "k": k, "seed": seed}
        | {"value": place / 100 + k / 1000}
        for place, method in enumerate(METHODS)
        for metric in ("hr", "ndcg")
        for k in (10, 20)
        for seed in (1, 2)
    ]
    path = tmp_path / "films" / "figure3.png"
    plots.by_cutoff(pd.DataFrame(rows), path, subject=METHODS[0])
    assert path.read_bytes().startswith(b"\x89PNG")
    return made[0]


def test_eight_methods_at_most_have_a_colour_and_none_shares_it(figure: Figure) -> None:
    for axis in figure.axes:
        colours = {line.get_label(): to_hex(line.get_color()) for line in axis.lines}
        assert list(colours) == METHODS
        grey = max(colours.values(), key=list(colours.values()).count)
        own = [colour for colour in colours.values() if colour != grey]
        assert len(own) == len(set(own)) == 8
        assert {m for m in METHODS if colours[m] != grey} == {
            METHODS[0],
            *METHODS[-7:],
        }


def test_a_coloured_line_has_its_name_and_grey_ones_are_listed(figure: Figure) -> None:
    for axis in figure.axes:
        assert {t.get_text() for t in axis.texts} == {METHODS[0], *METHODS[-7:]}
    listed = figure.get_supxlabel()
    assert listed.startswith("grey: ")
    assert set(listed.removeprefix("grey: ").split(", ")) == set(METHODS[1:8])


def test_the_title_names_the_data_and_the_seeds(figure: Figure) -> None:
    assert figure.get_suptitle() == "films: figure3; means over seeds 1 to 2"

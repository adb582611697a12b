"""`results/README.md`, put together from what the experiments wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from uvcan_tf.experiments.results import markdown

#: Of every experiment: its title, its Markdown and its plots, where they exist.
_PARTS: Final = (
    ("Table 3: every method, tuned alike", "table3.md", ("table3.png",)),
    ("Figure 3: cutoffs", None, ("figure3.png",)),
    ("Figure 4: widths", None, ("figure4.png",)),
    ("Tables 4 and 5: hops and widths", "tables45.md", ("tables45.png",)),
    ("What each ingredient of `best` is worth", "ablation.md", ()),
    ("What each ingredient of `history` is worth", "ablation-history.md", ()),
    (
        "By training likes of user and video",
        "slices.md",
        ("slices-user.png", "slices-video.png"),
    ),
    ("New users", "new-users.md", ("new-users.png",)),
    ("New videos", "new-videos.md", ("new-videos.png",)),
    ("By the likes that new people give", "likes-given.md", ("likes-given.png",)),
)
#: Settings of every last fit of a neural method.
_ALWAYS_THE_SAME: Final = tuple(
    f"training.{name}"
    for name in ("validation_fraction", "validation_users", "time_limit_s")
)
_INTRODUCTION: Final = """\
# Experiments

Written by `python -m uvcan_tf experiment report`; every figure below is read from the
CSV and JSON files beside it.

Every method has at least as many trials as its table says. They are drawn from the
spaces in `uvcan_tf/search_spaces.py`, the first being the defaults, and compared by
NDCG@100 over the whole catalogue (the tables of settings say where it was NDCG@10) on
validation pairs: a tenth of each user's training pairs. The chosen settings lie in
`results/<data>/settings/<method>.json`, with the command that gives their figures
again. Then every method is fitted with them and ranks the held-out pairs once, among
1,000 sampled videos and among all. A network stops early in each fit, by NDCG@100 of
pairs of some users that it sets apart. iALS+attributes begins with what
iALS+impressions chose, UVCAN(history) with what its product chose alone, and
UVCAN(best) is both with what these chose. (Older are the ablations, but for
UVCAN(history) on `kuairand_last`: their networks learned faster. And where a network
took as many epochs as its best trial kept, and UVCAN(best) is one over a cross-fitted
prior, which is gone: the worlds `toffee_a` and `toffee_b`.) Ties take the middle rank.
HR@10 and NDCG@10 are means over pairs; p-values are of a paired bootstrap over users,
seeds averaged first. A method without randomness has one figure for all seeds.

New users and videos have no pair in training. New videos are ranked among themselves.
"""


def write(out: Path) -> Path:
    """Writes the page from the results under `out`, and returns where it is."""
    parts = [_INTRODUCTION]
    for folder in sorted(p.parent for p in out.glob("*/settings")):
        parts.append(f"## {folder.name}\n")
        for title, text, plots in _PARTS:
            parts += _part(folder, title, text, plots)
        parts += _settings(folder / "settings")
    path = out / "README.md"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _part(
    folder: Path, title: str, text: str | None, plots: tuple[str, ...]
) -> list[str]:
    files = [name for name in plots if (folder / name).exists()]
    if not files and not (text and (folder / text).exists()):
        return []
    lines = [f"### {title}\n"]
    if text is not None:
        about = folder / text.replace(".md", ".json")
        lines += _how(about) if about.exists() else []
        content = (folder / text).read_text(encoding="utf-8")
        lines.append(content.replace("### ", "#### "))
    return [*lines, *(f"![{title}]({folder.name}/{n})\n" for n in files)]


def _how(path: Path) -> list[str]:
    content = json.loads(path.read_text(encoding="utf-8"))
    hours = content["hours_of_fitting_and_ranking"]
    return [f"    {content['command']}\n", f"{hours:.2f} hours besides the search.\n"]


def _settings(folder: Path) -> list[str]:
    """The chosen settings of every method."""
    rows = [_row(path) for path in sorted(folder.glob("*.json"))]
    if not rows:
        return []
    header = ("method", "settings", "trials", "on validation", "fit, s")
    return ["### Settings\n", markdown(header, rows)]


def _chosen_by(content: Mapping[str, Any]) -> str:
    """What the settings gave on validation, if searched; older files have NDCG@10.

    >>> _chosen_by({"method": "EASE", "validation_ndcg@100": 0.17})
    'NDCG@100 0.1700'
    """
    figures = [x for x in content.items() if x[0].startswith("validation_")]
    shown = (f"{k.removeprefix('validation_').upper()} {v:.4f}" for k, v in figures)
    return "".join(shown)


def _row(path: Path) -> list[str]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    shown = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in content["settings"].items()
        if name not in _ALWAYS_THE_SAME
    }
    settings = ", ".join(f"{name}={value}" for name, value in shown.items())
    return [
        f"[{path.stem}]({path.parents[1].name}/settings/{path.name})",
        settings or "none",
        str(content["trials"]),
        _chosen_by(content),
        str(content.get("fit_seconds", "")),
    ]

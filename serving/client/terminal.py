"""Records as tables and bars for a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from serving.client.records import Attention, Explanation, Scored

_BAR_WIDTH: Final = 24


def show_scored(console: Console, title: str, videos: Sequence[Scored]) -> None:
    """A numbered table of videos and scores."""
    table = Table(title=title, title_justify="left")
    table.add_column("#", justify="right", style="dim")
    table.add_column("video")
    table.add_column("score", justify="right")
    for place, video in enumerate(videos, start=1):
        table.add_row(str(place), video.video_id, f"{video.score:.4f}")
    console.print(table)


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Both sides' attention as one bar for each hop and facet."""
    console.print(
        f"user {explanation.user_id}, video {explanation.video_id}: "
        f"score {explanation.score:.4f}",
        highlight=False,
    )
    if explanation.known_user is False:
        show_unknown(console, "user", explanation.user_id)
    if explanation.known_video is False:
        show_unknown(console, "video", explanation.video_id)
    console.print(
        Group(
            _bars("what the user looked at in the video", explanation.video),
            _bars("what the video looked at in the user", explanation.user),
        )
    )


def show_unknown(console: Console, kind: str, name: str) -> None:
    """One line on a user or a video that is not in the model's tables."""
    counts = "only what the request tells of them counts"
    if kind == "video":
        counts = "it answers for an unknown video"
    sentence = f"The model does not know {kind} {name}; {counts}."
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _bars(title: str, attention: Attention) -> RenderableType:
    table = Table(title=title, title_justify="left")
    table.add_column("hop", justify="right", style="dim")
    table.add_column("facet")
    table.add_column("attention", width=_BAR_WIDTH)
    table.add_column("", justify="right")
    for hop, weights in enumerate(attention.weights, start=1):
        for index, (facet, weight) in enumerate(
            zip(attention.facets, weights, strict=True)
        ):
            bar = Text("█" * round(weight * _BAR_WIDTH), style="cyan")
            number = "" if index else str(hop)
            table.add_row(number, facet, bar, f"{weight:.3f}")
        table.add_section()
    return table

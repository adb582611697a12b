"""The page of made-up figures: all of them, and nothing that needs the network."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tfx_pipeline.page.pages import Page
from tfx_pipeline.lineage import Step
from tfx_pipeline.page.content import Content
from tfx_pipeline.page.examples import Example, Side
from tfx_pipeline.page.statistics import Column, Split
from tfx_pipeline.page.write import html
from tfx_pipeline.report import Report
from tfx_pipeline.timings import Timing
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.training.callbacks import MONITOR

pytestmark = pytest.mark.slow  # TFX's import


def figures(hr: float, count: float) -> dict[str, float]:
    return {"hr_at_10": hr, "ndcg_at_10": hr / 2, "auc": 0.75, "example_count": count}


REPORT = Report(
    slices={"overall": figures(0.25, 1234), "gender=<f>": figures(0.5, 56)},
    blessed=False,
    reasons=("hr_at_10 should be at least 0.3. Received: 0.2500.",),
    pushed=None,
    baseline={"overall": figures(0.375, 1234)},
)
EPOCHS = [
    {"epoch": n, "loss": 0.5 / n, "l2": 0.0, "validation_ndcg@100": 0.1 * n}
    for n in (1, 2, 3)
]
CONTENT = Content(
    number=7,
    began="2026-01-02 03:04:05",
    failed=(),
    report=REPORT,
    baseline_model="root/Trainer/model/5",
    training={
        "epochs": 3,
        "best_epoch": 2,
        "validation_ndcg@100": 0.2,
        "curve": EPOCHS,
        "attention": {"video_attention": [[0.125, 0.875]]},
        "facets": {"video_attention": ["video_id", "author"]},
    },
    card=None,
    splits=[Split("users", 48, (Column("gender", "text", 0.375, "2 values", (3, 1)),))],
    anomalies=["Split 'users', feature 'gender': Unexpected value."],
    examples=[
        Example(
            *("ann", "v1", 0.625),
            Side(("video_id", "author"), ((0.25, 0.75),)),
            Side((), ()),
        )
    ],
    timings=[Timing("Trainer", 12.34, 789.0, False), Timing("Pusher", 0, None, True)],
    steps=[Step("Trainer", 13, "2026-01-02 03:04:05", 12.3, (("Model", "a/b"),))],
)


def test_every_figure_stands_in_its_place() -> None:
    tables = Page(html(CONTENT)).tables
    assert tables["evaluation"] == [
        [
            ["slice", "hr_at_10", "baseline", "ndcg_at_10", "baseline"]
            + ["auc", "baseline", "pairs"],
            ["overall", "0.2500", "0.3750", "0.1250", "0.1875"]
            + ["0.7500", "0.7500", "1,234"],
            ["gender=<f>", "0.5000", "", "0.2500", "", "0.7500", "", "56"],
        ]
    ]
    assert tables["attention"] == [
        [["", "video_id", "author"], ["hop 1", "0.125", "0.875"]]
    ]
    assert tables["examples"] == [
        [["", "video_id", "author"], ["hop 1", "0.250", "0.750"]]
    ]
    assert tables["data"][0][1] == ["gender", "text", "37.5%", "", "2 values"]
    assert tables["components"][0][1:] == [
        ["Trainer", "12.3 s", "789 MB"],
        ["Pusher", "cached", "not recorded"],
        ["all", "12.3 s", "789 MB"],
    ]
    assert tables["lineage"][0][1][:3] == [
        "13 Trainer",
        "2026-01-02 03:04:05",
        "12.3 s",
    ]


def test_the_verdict_and_the_anomalies_are_told() -> None:
    text = html(CONTENT)
    assert "hr_at_10 should be at least 0.3. Received: 0.2500." in text
    assert "Unexpected value." in text
    assert "No anomalies" not in text


def test_the_card_tells_what_candidates_find() -> None:
    found = {"candidates": 50, "videos": 4000, "users": 200, "k": 10, "recall": 0.981}
    data = {"fingerprint": "f", "users": 3, "videos": 4000, "likes": 7}
    made_of = {"config": {}, "declaration": {}, "versions": {}, "commit": None}
    card: dict[str, Any] = {"data": data, "trained": "today", **made_of}
    without, told = (
        html(dataclasses.replace(CONTENT, card=content)).replace("<code>", "")
        for content in (card, {**card, "candidates": found})
    )
    sentence = candidate_recall.sentence(found)
    assert sentence in told.replace("</code>", "")
    assert "recommend rates" not in without


def test_the_page_is_one_file_without_a_script() -> None:
    page = Page(html(CONTENT))
    assert page.addresses == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}


def test_the_page_is_for_light_and_dark_and_a_phone() -> None:
    text = html(CONTENT)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport" content="width=device-width' in text


def test_a_run_of_an_older_version_has_a_page() -> None:
    """Its training stopped by another figure, which has another name."""
    training = {k: v for k, v in CONTENT.training.items() if "ndcg" not in k}
    curve = [{k: v for k, v in epoch.items() if "ndcg" not in k} for epoch in EPOCHS]
    older = {**training, "validation_ndcg@10": 0.2, "curve": curve}
    text = html(dataclasses.replace(CONTENT, training=older))
    assert "Epoch 2 of 3 was kept (dashed)." in text
    assert "Epoch 2 of 3 was kept (dashed): validation NDCG@100 0.2000." in html(
        CONTENT
    )


def test_with_a_prior_the_page_tells_what_the_curves_show() -> None:
    of_prior = {"weight": 3.0, "network_alone": 0.15, "prior_alone": 0.18}
    text = html(
        dataclasses.replace(CONTENT, training={**CONTENT.training, "prior": of_prior})
    )
    assert (
        "of these the network alone reaches 0.1500, and the prior alone 0.1800. "
        "The curves are of the network alone" in text
    )
    assert "with the prior" not in html(CONTENT)
    of_strangers = {MONITOR: 0.14, "network_alone": 0.1, "prior_alone": 0.13}
    of_new_videos = {MONITOR: 0.1, "prior": 2.0, "product": 0.5, "as_told": 0.09}
    more = {**of_prior, "of_strangers": of_strangers, "of_new_videos": of_new_videos}
    text = html(
        dataclasses.replace(CONTENT, training={**CONTENT.training, "prior": more})
    )
    assert (
        "without their likes, both together reach 0.1400, the network alone 0.1000, "
        "and the prior alone 0.1300. Where all videos are rated as new ones, the "
        "scores of the prior spread 2 times as far, and those of likes 0.5 times, as "
        "attributes tell. The curves" in text
    )


def test_a_run_that_came_to_nothing_has_a_page() -> None:
    empty = dataclasses.replace(
        CONTENT,
        failed=("AnomalyGate",),
        **{"report": None, "training": None, "examples": [], "steps": []},
    )
    text = html(empty)
    assert "Failed: AnomalyGate." in text
    assert set(Page(text).tables) == {"data", "components"}


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_without_a_network_shows_it_within_its_width(
    tmp_path: Path, width: int
) -> None:
    """The page itself is no wider than the screen; only its tables may scroll."""
    file = tmp_path / "report.html"
    probe = (
        "<script>document.title = document.documentElement.scrollWidth + ' ' + "
        "window.innerWidth</script>"
    )
    file.write_text(html(CONTENT).replace("</body>", f"{probe}</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update"]
    flags += ["--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
    flags += [f"--user-data-dir={tmp_path}/browser", f"--window-size={width},800"]
    shown = subprocess.run(
        ["chromium", *flags, "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    title = shown.partition("<title>")[2].partition("</title>")[0]
    needed, there = map(int, title.split())
    assert needed <= there

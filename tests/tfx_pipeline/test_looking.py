"""One run, and what its page, its card and the commands tell of it."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.tfx_pipeline.page.pages import Page
from tests.tfx_pipeline.small_runs import Small, versions
from tests.uvcan_tf.training.tensorboard.boards import Asked
from tfx_pipeline import model_card, report
from tfx_pipeline.__main__ import main
from tfx_pipeline.report import Report
from uvcan_tf.data.encode_tables import encode_tables
from uvcan_tf.data.tables import read_tables
from uvcan_tf.features import of_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@dataclasses.dataclass(frozen=True)
class Ran:
    """One run of the command, and all that was on the screen."""

    small: Small
    root: Path
    screen: str
    report: Report


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    small = Small(tmp_path_factory.mktemp("looking"))
    root = small.folder / "root"
    status, screen = small.run(root)
    assert status == 0, screen
    return Ran(small, root, screen, report.read(small.config(root)))


def said(ran: Ran, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--root", str(ran.root)])
    assert result.exit_code == 0, result.output
    return result.output


def rows(text: str) -> list[list[str]]:
    """Lines of a printed table, cell by cell."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_the_figures_of_the_page_are_those_on_the_screen(ran: Ran) -> None:
    page = Page((ran.root / "runs/1/report.html").read_text())
    screen = rows(ran.screen)
    (evaluation,) = page.tables["evaluation"]
    assert len(evaluation) == 1 + len(ran.report.slices)
    for row in evaluation[1:]:
        assert row in screen
    (components,) = page.tables["components"]
    assert len(components) > 10
    for row in components[1:]:
        assert row in screen
    assert page.addresses == []
    assert "runs/1/report.html" in ran.screen


def test_the_page_shows_ten_recommendations_and_no_anomalies(ran: Ran) -> None:
    text = (ran.root / "runs/1/report.html").read_text()
    page = Page(text)
    assert text.count("<summary>User") == 10
    for table in (*page.tables["examples"], *page.tables["attention"]):
        for row in table[1:]:
            assert sum(map(float, row[1:])) == pytest.approx(1, abs=0.005)
    assert "No anomalies" in text
    counts = {title: len(table) for title, table in page.tables.items()}
    assert counts["data"] == 4


def test_the_report_can_be_made_again(ran: Ran) -> None:
    file = ran.root / "runs/1/report.html"
    before = file.read_text()
    file.unlink()
    assert said(ran, "report").strip() == str(file)
    assert file.read_text() == before


def test_show_tells_what_the_run_told(ran: Ran) -> None:
    again = rows(said(ran, "show"))
    for name in ran.report.slices:
        (line,) = (row for row in rows(ran.screen) if row[0] == name)
        assert line in again
    assert [row for row in rows(ran.screen) if row[0] == "Trainer"][-1] in again


def test_a_component_that_failed_is_among_those_of_its_run(tmp_path: Path) -> None:
    small, root = Small(tmp_path), tmp_path / "root"
    (table,) = (small.folder / "data").glob("users.*")
    table.write_bytes(b"nothing that can be read")
    status, screen = small.run(root)
    assert status == 1, screen
    shown = CliRunner().invoke(main, ["show", "--root", str(root)]).output
    assert "Failed: FileBasedExampleGen" in shown
    timings = rows(shown[shown.index("Timings") :])
    (failed,) = (row for row in timings if row[0] == "FileBasedExampleGen")
    assert failed[2] == "not recorded"
    page = (root / "runs" / "1" / "report.html").read_text(encoding="utf-8")
    assert "FileBasedExampleGen" in page[page.index("Components") :]


def test_a_run_that_is_not_there_is_one_sentence(ran: Ran) -> None:
    arguments = ["show", "--root", str(ran.root), "--run", "5"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "--run should be a number from 1 to 1" in result.output


def test_the_card_tells_where_the_model_comes_from(ran: Ran) -> None:
    assert ran.report.pushed is not None
    card = json.loads((ran.report.pushed / "assets.extra/model_card.json").read_text())
    assert card["metrics"] == ran.report.slices
    assert card["baseline"] is None
    assert card["config"]["training"]["learning_rate"] == 0.03
    assert card["declaration"] == of_folder(ran.small.folder / "data").to_json()
    assert card["versions"].keys() >= {"TensorFlow", "uvcan-tf", "Python"}
    assert card["trained"] <= card["pushed"]
    assert card["data"]["users"] == 48


def test_the_fingerprint_is_that_of_the_tables_and_no_others(ran: Ran) -> None:
    features = of_folder(ran.small.folder / "data")
    tables = read_tables(ran.small.folder / "data", features)
    dataset = encode_tables(
        tables, features, ran.small.config(ran.root).config.evaluation
    )
    one = model_card.fingerprint(dataset)
    assert one == model_card.fingerprint(dataset)
    fewer = dataclasses.replace(dataset, train=dataset.test)
    assert one != model_card.fingerprint(fewer)


def test_the_lineage_leads_from_the_tables_to_the_version(ran: Ran) -> None:
    (version,) = versions(ran.root)
    steps = json.loads(said(ran, "lineage", version, "--json"))
    nodes = [step["node"] for step in steps]
    assert nodes[0] == "FileBasedExampleGen" and nodes[-1] == "Pusher"
    assert {"Transform", "Trainer", "Evaluator"} <= set(nodes)
    made = [place for step in steps for _, place in step["made"]]
    assert all((ran.root / place).exists() for place in made)
    assert f"PushedModel  serving/uvcan/{version}" in said(ran, "lineage", version)
    (table,) = Page((ran.root / "runs/1/report.html").read_text()).tables["lineage"]
    assert [row[0] for row in table[1:]] == [
        f"{s['number']} {s['node']}" for s in steps
    ]


def test_a_version_that_was_not_pushed_is_one_sentence(ran: Ran) -> None:
    arguments = ["lineage", "12", "--root", str(ran.root)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert f"{versions(ran.root)[0]}. Received: '12'." in result.output


def test_tensorboard_has_the_run_under_its_number(ran: Ran) -> None:
    board = Asked(ran.root / "tensorboard")
    tags = set(board.get("plugin/scalars/tags")["run-1"])
    assert {"validation/ndcg@100", "evaluation/hr_at_10/overall"} <= tags
    for name, metrics in ran.report.slices.items():
        found = board.scalars("run-1", f"evaluation/hr_at_10/{name}")
        assert found == {0: pytest.approx(metrics["hr_at_10"])}


def test_tensorboard_of_a_root_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["tensorboard", "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "that has trained a model. Received: a folder without" in result.output


def explained(ran: Ran, out: Path, *asked: str) -> dict[str, Any]:
    """The JSON of an explanation; its cells are those of the page beside it."""
    content = json.loads(
        said(ran, "explain", "--json", "--out", str(out), *asked).replace(str(out), "")
    )
    rows = [
        re.findall(r"<td[^>]*>([^<]*)</td>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", out.read_text())
        if "<td" in row
    ]
    every = [hop for matrix in content["matrices"] for hop in matrix["weights"]]
    assert rows == [[f"{weight:.3f}" for weight in hop] for hop in every]
    return dict(content)


def test_a_pair_is_explained_with_its_author_and_tags(ran: Ran, tmp_path: Path) -> None:
    content = explained(ran, tmp_path / "a.html", "--user", "u3", "--video", "v8")
    of_video, of_user = content["matrices"]
    assert of_video["columns"] == [
        "video_id: v8",
        "author_id: a2",
        "tags: t3, t2",
        "visual",
        "length",
    ]
    assert of_user["columns"][:3] == ["user_id: u3", "gender: f", "location: place 0"]
    assert [name.split(":")[0] for name in of_user["columns"][3:]] == ["age", "voice"]
    for hop in (*of_video["weights"], *of_user["weights"]):
        assert sum(hop) == pytest.approx(1)


def test_a_users_best_videos_are_explained(ran: Ran, tmp_path: Path) -> None:
    content = explained(ran, tmp_path / "u.html", "--user", "u3", "--top", "5")
    last = content["matrices"][-1]["weights"]
    assert len(content["pairs"]) == len(last) == 5
    mean = [sum(column) / 5 for column in zip(*last, strict=True)]
    assert content["matrices"][0]["weights"][-1] == pytest.approx(mean)


def test_a_slice_is_the_mean_of_its_users(ran: Ran, tmp_path: Path) -> None:
    content = explained(ran, tmp_path / "s.html", "--slice", "gender=f", "--top", "2")
    users = {user for user, _, _ in content["pairs"]}
    assert users == {f"u{n}" for n in range(48) if n // 3 % 3 == 1}
    assert len(content["pairs"]) == 2 * len(users)


def test_an_unknown_user_is_one_sentence(ran: Ran) -> None:
    arguments = ["explain", "--root", str(ran.root), "--user", "zed"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "Received: 'zed'." in result.output

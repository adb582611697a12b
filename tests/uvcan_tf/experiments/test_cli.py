"""The commands on a tiny world: what they write, and what they do not do twice."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tests.tfx_pipeline.worlds import write_world
from uvcan_tf.config import ConfigError
from uvcan_tf.experiments.cli import experiment
from uvcan_tf.experiments.options import batch_size_for

METHODS = "ItemPop,EASE,NCF,UVCAN(paper)"


def run(folder: Path, command: str, *words: str, methods: str = METHODS) -> Result:
    arguments = (
        *(command, "--data", folder / "data", "--name", "tiny"),
        *("--methods", methods, "--seeds", "1", "--trials", "2", "--epochs", "1"),
        *("--work", folder / "work", "--out", folder / "out", *words),
    )
    return CliRunner().invoke(
        experiment, [str(a) for a in arguments], catch_exceptions=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    write_world(folder / "data")
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Result:
    return run(folder, "table3")


def rows(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "out" / "tiny" / name)


@pytest.mark.slow
def test_table3_has_every_method_protocol_metric_cutoff_and_seed(
    folder: Path, first: Result
) -> None:
    assert first.exit_code == 0
    frame = rows(folder, "table3.csv")
    assert list(frame.columns) == "method,protocol,metric,k,seed,value".split(",")
    assert len(frame) == 4 * 2 * 2 * 5
    assert frame.value.between(0, 1).all()
    assert list(dict.fromkeys(frame.method)) == METHODS.split(",")


@pytest.mark.slow
def test_uvcan_is_tested_against_each(folder: Path, first: Result) -> None:
    frame = rows(folder, "significance.csv")
    columns = "method,protocol,metric,k,difference,p_value"
    assert list(frame.columns) == columns.split(",")
    assert set(frame.method) == {"ItemPop", "EASE", "NCF"}
    table = rows(folder, "table3.csv").query("k == 10 and metric == 'hr'")
    means = table.groupby(["method", "protocol"])["value"].mean()
    found = frame.query("k == 10 and metric == 'hr'").set_index(["method", "protocol"])
    expected = means["UVCAN(paper)", "full"] - means["EASE", "full"]
    assert found.loc[("EASE", "full"), "difference"] == pytest.approx(expected, 1e-4)


@pytest.mark.slow
def test_settings_say_how_to_get_the_figures_again(folder: Path, first: Result) -> None:
    content = json.loads(
        (folder / "out" / "tiny" / "settings" / "ncf.json").read_text()
    )
    assert content["method"] == "NCF"
    assert content["trials"] == 2
    assert content["settings"]["training.epochs"] == 1
    assert "training.validation_fraction" not in content["settings"]
    frame = rows(folder, "table3.csv").query(
        "method == 'NCF' and metric == 'hr' and k == 10 and protocol == 'full'"
    )
    expected = content["expected"]["full"]["hr@10"]
    assert expected == pytest.approx(frame.value.mean(), abs=1e-4)
    assert str(folder) not in json.dumps(content)


@pytest.mark.slow
def test_more_seeds_change_the_command_and_what_it_gives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seeds in ("1", "1,2"):
        words = ("table3", "--seeds", seeds, "--out", str(folder / "other"))
        monkeypatch.setattr("sys.argv", ["", "experiment", *words])
        run(folder, *words, methods="ItemPop,NCF")
    content = json.loads(
        (folder / "other" / "tiny" / "settings" / "ncf.json").read_text()
    )
    assert content["seeds"] == 2
    assert "--seeds 1,2" in content["command"]


@pytest.mark.slow
def test_a_second_run_fits_nothing_and_says_the_same(
    folder: Path, first: Result
) -> None:
    again = run(folder, "table3")
    assert again.stderr == ""
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_a_killed_run_goes_on_at_the_unfinished_cell(
    folder: Path, first: Result
) -> None:
    (cell,) = (folder / "work" / "tiny" / "table3").glob("ease-*.npz")
    cell.unlink()
    (folder / "out" / "tiny" / "settings" / "ease.json").unlink()
    again = run(folder, "table3")
    assert [line.split(",")[0] for line in again.stderr.splitlines()] == ["[2/4] EASE"]
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_figures_and_slices_come_from_the_same_cells(
    folder: Path, first: Result
) -> None:
    assert run(folder, "figure3").stderr == ""
    assert run(folder, "slices").stderr == ""
    results = folder / "out" / "tiny"
    assert (results / "figure3.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in results.glob("slices-*.png")} == {
        "slices-user.png",
        "slices-video.png",
    }
    frame = rows(folder, "slices.csv").query("metric == 'hr' and protocol == 'full'")
    table = rows(folder, "table3.csv").query("k == 10 and metric == 'hr'")
    for side in ("user", "video"):
        part = frame[(frame.side == side) & (frame.method == "EASE")]
        whole = (part.value * part.pairs).sum() / part.pairs.sum()
        expected = table[(table.method == "EASE") & (table.protocol == "full")].value
        assert whole == pytest.approx(expected.mean(), rel=1e-4)


@pytest.mark.slow
def test_other_widths_and_hops_are_measured(
    folder: Path, first: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uvcan_tf.experiments import figure4_tables45

    monkeypatch.setattr(figure4_tables45, "FACTORS", (2, 3))
    monkeypatch.setattr(figure4_tables45, "HOPS", (1,))
    assert run(folder, "figure4", methods="ItemPop,NCF").exit_code == 0
    frame = rows(folder, "figure4.csv")
    assert set(zip(frame.method, frame.factors, strict=True)) == {
        ("NCF", 2),
        ("NCF", 3),
    }
    shown = run(folder, "tables45", methods="UVCAN(paper)").stdout
    assert "### NDCG@10. Among all videos" in shown
    frame = rows(folder, "tables45.csv")
    assert len(frame) == 2 * 1 * 2 * 2


@pytest.mark.parametrize("command", ["tables45", "ablation"])
def test_what_is_of_one_method_refuses_several(folder: Path, command: str) -> None:
    refused = run(folder, command)
    assert refused.exit_code == 2
    assert "`--methods` should" in refused.output
    assert METHODS in refused.output


@pytest.mark.slow
def test_an_ablation_takes_one_ingredient_away_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uvcan_tf.experiments import ablation

    some = {
        k: ablation.WITHOUT[k] for k in (ablation.WHOLE, "no attributes in the prior")
    }
    monkeypatch.setattr(ablation, "WITHOUT", some)
    own = "UVCAN(best)"
    assert run(folder, "ablation", "--trials", "1", methods=own).exit_code == 0
    frame = rows(folder, "ablation.csv").query("metric == 'hr' and protocol == 'full'")
    values = frame.set_index("variant")["value"]
    others = [
        ablation.PRIOR_ALONE,
        ablation.NO_PRIOR,
        ablation.NO_HISTORY,
        ablation.AS_SCORED,
    ]
    assert list(values.index) == [*some, *others]
    assert values[ablation.PRIOR_ALONE] > values[ablation.NO_PRIOR]  # after one epoch
    last = ("--trials", "1", "--skipped-last", "all")
    assert run(folder, "ablation", *last, methods=own).exit_code == 0
    assert ablation.AS_SCORED not in set(rows(folder, "ablation.csv")["variant"])


@pytest.mark.long
def test_an_ablation_of_the_history_has_a_row_for_every_switch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uvcan_tf.experiments import ablation

    some = {
        k: ablation.WITHOUT_HISTORY[k]
        for k in (ablation.WHOLE_HISTORY, "no video bias")
    }
    monkeypatch.setattr(ablation, "WITHOUT_HISTORY", some)
    own = "UVCAN(history)"
    assert run(folder, "ablation", "--trials", "1", methods=own).exit_code == 0
    frame = rows(folder, "ablation-history.csv")
    others = [ablation.NO_ATTRIBUTES, ablation.PRODUCT_ALONE, ablation.NO_HISTORY]
    assert list(dict.fromkeys(frame.variant)) == [*some, *others]
    values = frame.query("metric == 'hr' and protocol == 'full'").set_index("variant")
    assert values.loc[ablation.WHOLE_HISTORY, "value"] > 0


@pytest.mark.slow
def test_people_held_out_are_rated_by_the_likes_they_give(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uvcan_tf.experiments import likes_given

    monkeypatch.setattr(likes_given, "GIVEN", (1, 5))
    methods = "ItemPop,EASE,iALS,History product,UVCAN(history)"
    words = ("likes-given", "--trials", "1")
    shown = run(folder, *words, methods=methods)
    frame = rows(folder, "likes-given.csv").query("protocol == 'full'")
    means = frame.set_index(["metric", "method", "given"])["value"].sort_index()
    assert list(dict.fromkeys(frame.method)) == methods.split(",")
    for method in methods.split(",")[1:4]:  # a like tells the third that one is of
        assert means["hr", method, 5] > means["hr", "ItemPop", 5] + 0.1
    after_one_epoch = means["ndcg", "UVCAN(history)"]
    assert after_one_epoch[1] != after_one_epoch[5]
    assert (folder / "out" / "tiny" / "likes-given.png").exists()
    assert "| History product |" in shown.stdout
    assert run(folder, *words, methods=methods).stdout == shown.stdout
    run(folder, *words, methods="UVCAN(best)")
    found = rows(folder, "likes-given.csv").method.unique().tolist()
    assert found == ["UVCAN(best)", "UVCAN(best), told the skipped, too"]


@pytest.mark.slow
def test_the_report_is_put_together_from_what_was_written(
    folder: Path, first: Result
) -> None:
    result = CliRunner().invoke(experiment, ["report", "--out", str(folder / "out")])
    text = Path(result.stdout.strip()).read_text()
    assert "![Table 3: every method, tuned alike](tiny/table3.png)" in text
    assert "| **UVCAN(paper)** |" in text
    assert "[ease](tiny/settings/ease.json)" in text


@pytest.mark.slow
def test_cold_holds_out_users_then_videos(folder: Path) -> None:
    methods = "ItemPop,Attribute popularity,Content profile,Hybrid"
    assert run(folder, "cold", methods=methods).exit_code == 0
    for name in ("new-users.csv", "new-videos.csv"):
        assert list(dict.fromkeys(rows(folder, name).method)) == methods.split(",")
    frame = rows(folder, "new-videos.csv").query("metric == 'ndcg' and k == 10")
    ndcg = frame.query("protocol == 'full'").set_index("method")["value"]
    assert ndcg["Content profile"] > ndcg["ItemPop"] + 0.1  # whose scores all tie


def test_an_unknown_method_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match="`--methods` should name .* Received: SVD"):
        run(folder, "table3", methods="EASE,SVD")


@pytest.mark.parametrize(
    ("likes", "expected"), [(0, 64), (8_000, 64), (180_000, 512), (3_000_000, 2048)]
)
def test_few_likes_are_learned_from_in_small_batches(likes: int, expected: int) -> None:
    assert batch_size_for(likes) == expected


@pytest.mark.slow
def test_skipped_impressions_rank_last_for_every_method_if_asked(folder: Path) -> None:
    methods = "ItemPop,iALS"
    for whose in ("none", "all"):
        words = ("--skipped-last", whose, "--name", whose)
        told = run(folder, "table3", *words, methods=methods).stdout
        assert ("Skipped impressions rank last for every method." in told) is (
            whose == "all"
        )
    plain, last = (
        pd.read_csv(folder / "out" / name / "table3.csv").query("k == 50")["value"]
        for name in ("none", "all")
    )
    assert (last >= plain).all()
    assert (last > plain).any()


def test_seeds_are_ints(folder: Path) -> None:
    with pytest.raises(ConfigError, match="`--seeds` should be ints.*'1,b'"):
        run(folder, "table3", "--seeds", "1,b")


@pytest.mark.slow
def test_the_batch_size_is_part_of_the_settings(folder: Path) -> None:
    assert (
        run(
            folder, "table3", "--batch-size", "64", "--name", "few", methods="NCF"
        ).exit_code
        == 0
    )
    kept = json.loads((folder / "out" / "few" / "settings" / "ncf.json").read_text())
    assert kept["settings"]["training.batch_size"] == 64

"""`python -m uvcan_tf train|evaluate`: the library without a pipeline."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from uvcan_tf import config as settings
from uvcan_tf import features as names
from uvcan_tf.terminal.quiet import quiet_xla

_FOLDER = click.Path(path_type=Path, file_okay=False)
_DATA = click.option("--data", "folder", type=_FOLDER, required=True)
_CONFIG = click.option(
    "--config", "path", type=click.Path(path_type=Path, dir_okay=False)
)


def _dataset(folder: Path, config: settings.Config) -> Any:
    from uvcan_tf.data.encode_tables import encode_tables
    from uvcan_tf.data.tables import read_tables

    features = names.of_folder(folder)
    return encode_tables(read_tables(folder, features), features, config.evaluation)


def _item_pop(dataset: Any, config: settings.Config) -> Any:
    from uvcan_tf.baselines.popularity import ItemPop
    from uvcan_tf.evaluation.scorers import ranked

    last = config.evaluation.ranks_skipped_impressions_last(knows_impressions=False)
    return ranked(ItemPop(dataset), dataset, last)


def _report(dataset: Any, scorers: dict[str, Any], config: settings.Config) -> Any:
    """Ranks the test pairs by every scorer and prints one table."""
    from rich.console import Console
    from rich.table import Table

    from uvcan_tf.evaluation.ranking import rank_pairs
    from uvcan_tf.terminal.progress import progress

    table = Table(title=f"{len(dataset.test):,} held-out pairs")
    for column in ("method", "candidates", "HR@10", "NDCG@10", "Recall@10", "AUC"):
        table.add_column(column, justify="right" if "@" in column else "left")
    results: dict[str, Any] = {}
    for method, scorer in scorers.items():
        with progress(f"Ranking by {method}", len(set(dataset.test.user))) as bar:
            ranks = rank_pairs(scorer, dataset, config.evaluation, progress=bar)
        results[method] = _means(ranks, config)
        for protocol, means in results[method].items():
            table.add_row(method, protocol, *_cells(means))
    Console().print(table)
    return results


def _means(ranks: Any, config: settings.Config) -> dict[str, Any]:
    """Means of all metrics by protocol; None where no pair has a rival."""
    from uvcan_tf.evaluation.metrics import summary

    cutoffs = (*config.evaluation.cutoffs, 10)
    return {
        protocol: summary(ranked.rank, ranked.rivals, ranks.pairs.user, cutoffs)
        if ranked.rivals.any()
        else None
        for protocol, ranked in ranks.by_protocol.items()
    }


def _cells(means: Mapping[str, float] | None) -> list[str]:
    if means is None:
        return ["not measured"] * 4
    return [f"{means[m]:.4f}" for m in ("hr@10", "ndcg@10", "recall@10", "auc")]


def _first_and_last(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[int, ...] | None:
    """Two numbers with a colon between them."""
    if text is None:
        return None
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal()):
        raise click.BadParameter(
            f"It should be FIRST:LAST, such as 10:20. Received: {text!r}."
        )
    return int(first), int(last)


@click.command()
@_DATA
@_CONFIG
@click.option("--out", type=_FOLDER, required=True, help="Where the model goes.")
@click.option(
    "--profile",
    "steps",
    callback=_first_and_last,
    help="FIRST:LAST, training steps that TensorBoard can show in detail.",
)
def train(
    folder: Path, path: Path | None, out: Path, steps: tuple[int, ...] | None
) -> None:
    """Train on the tables in --data, report both protocols, export to --out."""
    config = settings.load(path) if path else settings.Config()
    if steps is not None:
        training = dataclasses.replace(config.training, profile_steps=steps)
        config = dataclasses.replace(config, training=training)
    from uvcan_tf.saved_model import candidate_recall
    from uvcan_tf.saved_model.export import export
    from uvcan_tf.training.distribution import Team
    from uvcan_tf.training.fit import fit
    from uvcan_tf.visual.pca import beside, load_all

    team = Team(config.training)
    features = names.of_folder(folder)
    pcas = load_all(beside(folder, features), features)
    dataset = _dataset(folder, config)
    out.mkdir(parents=True, exist_ok=True)
    quiet_xla()

    def say(line: str) -> None:
        click.echo(line, err=True)

    model = fit(dataset, config, out / "run", say, team=team)
    if not team.is_chief:
        return
    scorers = {"UVCAN": model.scorer(), "ItemPop": _item_pop(dataset, config)}
    results = _report(dataset, scorers, config)
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    version = out / "model" / "1"
    export(model, dataset, None, config, version, pcas)
    if found := candidate_recall.read(version):
        click.echo(candidate_recall.sentence(found))
    click.echo(f"Model: {version}")


@click.command()
@_DATA
@_CONFIG
@click.option("--model", type=_FOLDER, required=True, help="One version's folder.")
@click.option("--out", type=click.Path(path_type=Path), help="Results as JSON.")
@click.option("--users", type=click.IntRange(1), help="Only so many, drawn by seed.")
def evaluate(
    folder: Path, path: Path | None, model: Path, out: Path | None, users: int | None
) -> None:
    """Rank the held-out pairs of --data by a SavedModel, beside ItemPop."""
    config = settings.load(path) if path else settings.Config()
    if not (model / "saved_model.pb").exists():
        raise click.ClickException(
            f"{model} should be the folder of one SavedModel version, with "
            "saved_model.pb in it. Received: a folder without."
        )
    from uvcan_tf.evaluation.saved_scorer import saved_scorer

    dataset = _dataset(folder, config)
    if users is not None:
        some = dataset.test.of_some_users(users, config.evaluation.seed)
        dataset = dataclasses.replace(dataset, test=some)
    scorers = {
        "UVCAN": saved_scorer(model, dataset, config),
        "ItemPop": _item_pop(dataset, config),
    }
    results = _report(dataset, scorers, config)
    if out is not None:
        out.write_text(json.dumps(results, indent=2) + "\n")

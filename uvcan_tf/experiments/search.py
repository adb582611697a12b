"""The search for a method's settings: the same budget for all, on validation only."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any

from uvcan_tf.evaluation.ranking import FULL, Ranks
from uvcan_tf.experiments.cells import Cells, Clock, Measured, forget_models
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.setting import Setting
from uvcan_tf.search_spaces import Values, draws
from uvcan_tf.training.fit import TrainingError


@dataclasses.dataclass(frozen=True)
class Trial:
    """One point of the space, measured.

    Attributes:
      drawn: what the search tried, defaults apart.
      values: the same with what fitting found, as the number of epochs.
      ndcg: validation NDCG@10 over all candidates; 0 where fitting failed.
      seconds: that it took.
    """

    drawn: Values
    values: Values
    ndcg: float
    seconds: float


def search(cells: Cells, setting: Setting, method: Method, clock: Clock) -> Trial:
    """The best trial; those that an earlier run made are read, not made again."""
    path = (
        cells.work
        / cells.name
        / setting.name
        / f"{method.slug}-{setting.part.digest}.jsonl"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    trials = _read(path)
    points = draws(method.space, cells.trials, method.name)
    for number, drawn in enumerate(points):
        known = next((t for t in trials if t.drawn == drawn), None)
        if known is not None:
            clock.done(method.name)
            continue
        trial = _tried(
            cells, setting, method, drawn, path.with_suffix("") / str(number)
        )
        trials.append(trial)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(trial)) + "\n")
        shown = ", ".join(f"{k}={v}" for k, v in drawn.items())
        clock.done(
            f"{method.name}, {shown or 'defaults'}: validation NDCG@10 "
            f"{trial.ndcg:.4f} in {trial.seconds:.0f} s",
            trial.seconds,
        )
    return max((t for t in trials if t.drawn in points), key=lambda trial: trial.ndcg)


def trials_of(cells: Cells, method: Method) -> int:
    """How many trials the search of a method makes."""
    return len(draws(method.space, cells.trials, method.name))


def _tried(
    cells: Cells, setting: Setting, method: Method, drawn: Values, folder: Path
) -> Trial:
    start = time.monotonic()
    try:
        fitted = method.fit(setting.part.dataset, drawn, cells.run(folder, seed=1))
    except TrainingError:
        return Trial(drawn, drawn, 0.0, time.monotonic() - start)
    ranks = setting.part.ranks(fitted.scorer, cells.evaluation, (FULL,))
    ndcg = ranks.summary((10,))[FULL]["ndcg@10"]
    values = fitted.values
    del fitted
    forget_models()
    shutil.rmtree(folder)
    return Trial(drawn, values, ndcg, time.monotonic() - start)


def _read(path: Path) -> list[Trial]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Trial(**json.loads(line)) for line in lines if _is_whole(line)]


def _is_whole(line: str) -> bool:
    """False for the line during which a run was killed."""
    return line.endswith("}")


def settings_file(cells: Cells, setting: Setting, method: Method) -> Path:
    """Where the chosen settings of a method are kept."""
    kind = "" if setting.name == "table3" else f"{setting.name}-"
    return cells.results / "settings" / f"{kind}{method.slug}.json"


def kept_settings(cells: Cells, setting: Setting, method: Method) -> Values | None:
    """Settings that an earlier search of at least as many trials has chosen."""
    path = settings_file(cells, setting, method)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    enough = content["trials"] >= trials_of(cells, method)
    return content["settings"] if enough else None


def keep_settings(cells: Cells, setting: Setting, method: Method, best: Trial) -> None:
    """Writes the chosen settings, so that anyone fits the method with them."""
    content = {
        "method": method.name,
        "settings": dict(best.values),
        "trials": trials_of(cells, method),
        "validation_ndcg@10": round(best.ndcg, 6),
        "search_seconds_of_the_best": round(best.seconds, 1),
        "command": cells.command,
    }
    _write(settings_file(cells, setting, method), content)


def keep_expected(
    cells: Cells,
    setting: Setting,
    method: Method,
    figures: list[Measured],
    cutoffs: Any,
) -> None:
    """Adds what the command should give: the mean figures and the time of a fit."""
    path = settings_file(cells, setting, method)
    content = json.loads(path.read_text(encoding="utf-8"))
    summaries = [cell.ranks.summary(cutoffs) for cell in figures]
    content["expected"] = {
        protocol: {
            name: round(sum(s[protocol][name] for s in summaries) / len(summaries), 4)
            for name in ("hr@10", "ndcg@10")
        }
        for protocol in summaries[0]
    }
    content["command"] = cells.command
    content["seeds"] = len(figures)
    content["fit_seconds"] = round(
        sum(c.fit_seconds for c in figures) / len(figures), 1
    )
    content["rank_seconds"] = round(
        sum(c.rank_seconds for c in figures) / len(figures), 1
    )
    _write(path, content)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def users_of(ranks: Ranks) -> int:
    """How many users have a ranked pair."""
    return len(set(ranks.pairs.user.tolist()))

"""Three days of a made-up world with and without a warm start, then a broken day."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from tfx_pipeline import model_card, timings
from tfx_pipeline.config import MODEL_NAME, SERVING
from tfx_pipeline.pusher import newest_version
from uvcan_tf import features as names
from uvcan_tf.data.sources.synthetic import generate
from uvcan_tf.data.tables import Tables, read_tables, write_tables
from uvcan_tf.features import Features

_PRESET: Final = "tiny"
_DAYS: Final = 3
_FIRST_DAY_HAS: Final = 0.7  # of the users, the videos and the likes
_DAY_MS: Final = 86_400_000
_SETTINGS: Final = {
    "training": {
        "learning_rate": 0.003,
        "batch_size": 256,
        "epochs": 60,
        "patience": 8,
    },
    "evaluation": {"split": "time", "held_out_fraction": 0.1},
}


@dataclasses.dataclass(frozen=True)
class Trained:
    """What one day's run came to."""

    day: int
    start: str
    training_s: float
    epochs: int
    best_epoch: int
    hr_at_10: float
    ndcg_at_10: float


def measure(folder: Path, console: Console) -> None:
    """Runs all days in the folder, prints the table, and shows the broken day stop."""
    shutil.rmtree(folder, ignore_errors=True)
    world = _World(folder)
    runs = _Runs(folder)
    found: list[Trained] = []
    for day in range(1, _DAYS + 1):
        world.write(day)
        found.append(runs.of("warm" if day > 1 else "scratch", day, "daily"))
        if day > 1:
            found.append(runs.of("scratch", day, "scratch"))
        console.print(f"Day {day} is done.")
    console.print(_table(found))
    content = [dataclasses.asdict(trained) for trained in found]
    (folder / "figures.json").write_text(json.dumps(content, indent=2) + "\n")
    world.write(_DAYS + 1, broken=True)
    console.print(runs.stopped(_DAYS + 1), soft_wrap=True)


class _World:
    """A planted world whose users, videos and likes come by and by."""

    def __init__(self, folder: Path) -> None:
        generate(_PRESET, folder / "world", seed=1)
        self._folder = folder / "tables"
        self._features = names.of_folder(folder / "world")
        self._tables = read_tables(folder / "world", self._features)
        rng = np.random.default_rng(1)
        pairs = self._tables.interactions
        self._users, self._videos, likes = (
            _days(rng, table.num_rows)
            for table in (self._tables.users, self._tables.videos, pairs)
        )
        user, video = (
            pc.index_in(pairs[name], table[name]).to_numpy()
            for name, table in (
                (names.USER_ID, self._tables.users),
                (names.VIDEO_ID, self._tables.videos),
            )
        )
        first = np.maximum(self._users[user], self._videos[video])
        self._likes = np.maximum(likes, first)
        moments = self._likes * _DAY_MS + rng.integers(_DAY_MS, size=len(likes))
        self._pairs = pairs.append_column(
            names.TIMESTAMP, pa.array(moments + 19_000 * _DAY_MS)
        )

    def write(self, day: int, broken: bool = False) -> None:
        """The tables as they are on that day; broken, few users tell their place."""
        users, videos = (
            table.filter(pa.array(first <= day))
            for table, first in (
                (self._tables.users, self._users),
                (self._tables.videos, self._videos),
            )
        )
        if broken:
            users = _emptied(users, self._features)
        today = self._pairs.filter(pa.array(self._likes == day))
        write_tables(self._folder, Tables(users, videos, today), self._features)
        part = self._folder / names.INTERACTIONS / f"span-{day}" / "part-0.parquet"
        part.parent.mkdir(parents=True)
        (self._folder / f"{names.INTERACTIONS}.parquet").unlink()
        pq.write_table(today, part)


class _Runs:
    """The command line, a root for each way of starting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "config.json"
        self._config.write_text(json.dumps(_SETTINGS), encoding="utf-8")

    def of(self, start: str, day: int, root: str) -> Trained:
        status, screen = self._run(root, day, ["--warm-start"] * (start == "warm"))
        if status:
            raise RuntimeError(screen)
        place = self._folder / root
        spent = timings.read(place / timings.FILE)
        training = json.loads(_newest(place.glob("Trainer/model_run/*/training.json")))
        overall = _card(place)["metrics"]["overall"]
        return Trained(
            day=day,
            start=start,
            training_s=next(t.wall_s for t in spent if t.component == "Trainer"),
            epochs=training["epochs"],
            best_epoch=training["best_epoch"],
            hr_at_10=overall[names.hr_at(10)],
            ndcg_at_10=overall[names.ndcg_at(10)],
        )

    def stopped(self, day: int) -> str:
        """The sentence that the run of a broken day ends with."""
        before = _card(self._folder / "daily")["pushed"]
        status, screen = self._run("daily", day, ["--warm-start"])
        if not status or _card(self._folder / "daily")["pushed"] != before:
            raise RuntimeError(f"Day {day} should not be pushed. Received: {screen}")
        return next(line for line in screen.splitlines() if line.startswith("Error: "))

    def _run(self, root: str, day: int, more: list[str]) -> tuple[int, str]:
        command = [sys.executable, "-m", "tfx_pipeline", "run", "--days", f"1:{day}"]
        command += ["--data", str(self._folder / "tables")]
        command += ["--root", str(self._folder / root), "--config", str(self._config)]
        command += ["--min-hit-rate", "0", "--tolerance", "1", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def _days(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """The first day of each of so many rows; most are there on day 1."""
    late = rng.integers(2, _DAYS + 2, size=count)
    return np.where(rng.random(count) < _FIRST_DAY_HAS, 1, late)


def _emptied(users: pa.Table, features: Features) -> pa.Table:
    place = features.user[-1].name
    known = pa.array(np.arange(users.num_rows) % 3 == 0)
    values = pc.if_else(known, users[place], pa.scalar(None, pa.string()))
    return users.set_column(users.column_names.index(place), place, values)


def _newest(files: Iterator[Path]) -> str:
    return max(files, key=lambda file: int(file.parent.name)).read_text()


def _card(root: Path) -> Any:
    newest = newest_version(root / SERVING / MODEL_NAME)
    return newest and model_card.read(newest)


def _table(found: list[Trained]) -> Table:
    table = Table("day", "start", "training", "epochs (kept)", "HR@10", "NDCG@10")
    for one in found:
        table.add_row(
            str(one.day),
            one.start,
            f"{one.training_s:.1f} s",
            f"{one.epochs} ({one.best_epoch})",
            f"{one.hr_at_10:.4f}",
            f"{one.ndcg_at_10:.4f}",
        )
    return table

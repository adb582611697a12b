"""Every day after the first: what begins warm, what stops, and what stays in use."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.tfx_pipeline.small_runs import SETTINGS, Small, versions
from tests.tfx_pipeline.worlds import FEATURES, write_world
from tfx_pipeline import config as settings
from uvcan_tf import config as uvcan_config
from uvcan_tf import features as names
from uvcan_tf.data.tables import Tables, read_tables, write_tables
from uvcan_tf.errors import ConfigError

drill = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IN_TIME = {**SETTINGS, "evaluation": {**SETTINGS["evaluation"], "split": "time"}}
LATE = 3  # users who are there from the second day on


def test_a_warm_start_with_a_split_at_random_is_refused(tmp_path: Path) -> None:
    """The last model may have learned what is held out now."""
    write_world(tmp_path / "data")
    config = uvcan_config.from_json(SETTINGS)
    with pytest.raises(ConfigError, match="`evaluation.split` should be time or last"):
        settings.local(tmp_path / "data", tmp_path, config, warm_start=True)


class Days:
    """The small world as it grows; its likes are spread over three days."""

    def __init__(self, folder: Path) -> None:
        self.small = Small(folder)
        (folder / "config.json").write_text(json.dumps(IN_TIME))
        self.data, self.root = folder / "data", folder / "root"
        self._tables = read_tables(self.data, FEATURES)
        random = np.random.default_rng(7)
        pairs = self._tables.interactions
        late = pc.index_in(pairs[names.USER_ID], self._tables.users[names.USER_ID])
        day = 1 + random.integers(3, size=pairs.num_rows)
        self._day = np.maximum(day, np.where(late.to_numpy() < LATE, 2, 1))
        moment = 1_700_000_000 + 86_400 * self._day
        moment += random.integers(86_400, size=pairs.num_rows)
        self._pairs = pairs.append_column(names.TIMESTAMP, pa.array(moment))
        (self.data / "interactions.parquet").unlink()

    def part(self, day: int) -> Path:
        return self.data / "interactions" / f"span-{day}" / "part-0.parquet"

    def write(self, day: int, places: bool = True) -> None:
        """The tables of a day; without most places, they are broken."""
        users = self._tables.users.slice(LATE if day == 1 else 0)
        if not places:
            few = pa.array(np.arange(users.num_rows) % 3 == 0)
            known = pc.if_else(few, users["location"], pa.scalar(None, pa.string()))
            column = users.column_names.index("location")
            users = users.set_column(column, "location", known)
        today = self._pairs.filter(pa.array(self._day == day))
        tables = Tables(users, self._tables.videos, today)
        write_tables(self.data, tables, FEATURES)
        (self.data / "interactions.parquet").unlink()
        self.part(day).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(today, self.part(day))

    def run(self, *arguments: str) -> tuple[int, str]:
        easy = ("--min-hit-rate", "0", "--tolerance", "1")
        return self.small.run(self.root, "--warm-start", *easy, *arguments)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Two days are written and trained on, the second one warm."""
    days = Days(tmp_path_factory.mktemp("days"))
    for day in (1, 2):
        days.write(day)
        status, screen = days.run("--days", f"1:{day}")
        assert status == 0, screen
        assert "Blessed" in screen, screen
        assert ("Training begins with the model in" in screen) == (day == 2), screen
    return days


class TestDays:
    pytestmark = drill

    def test_the_start_is_on_the_page_and_the_card(self, days: Days) -> None:
        begins = "Training begins with the model in"
        knows = "which knows 45 of the 48 users and 90 of the 90 videos."
        page = (days.root / "runs" / "2" / "report.html").read_text()
        assert begins in page and knows in page
        newest = versions(days.root)[-1]
        card = days.root / "serving" / "uvcan" / newest / "assets.extra"
        training = json.loads((card / "model_card.json").read_text())["training"]
        assert training["start"].startswith(begins)

    def test_an_unchanged_day_comes_from_the_cache(self, days: Days) -> None:
        before = versions(days.root)
        status, screen = days.run("--days", "1:2")
        assert status == 0, screen
        (trainer,) = (line for line in screen.splitlines() if "  Trainer " in line)
        assert "cached" in trainer
        assert versions(days.root) == before

    def test_a_broken_feature_is_not_pushed(self, days: Days) -> None:
        days.write(3, places=False)
        _stops(days, "1:3", "Error: DriftGate: ", "Split 'users', feature 'location': ")

    def test_a_missing_day_is_named(self, days: Days) -> None:
        _stops(days, "1:4", "to span-4. Received: span-1 to span-3, without span-4;")

    def test_a_part_with_other_columns_is_named(self, days: Days) -> None:
        days.write(3)
        table = pq.read_table(days.part(3))
        pq.write_table(table.drop([names.VIDEO_ID]), days.part(3))
        _stops(days, "1:3", "span-3/part-0.parquet should have the column video_id.")

    def test_an_unreadable_part_is_named(self, days: Days) -> None:
        days.part(3).write_bytes(days.part(3).read_bytes()[:-9])
        _stops(days, "1:3", "span-3/part-0.parquet is not a readable Parquet file: ")


def _stops(days: Days, taken: str, *sentences: str) -> None:
    """The run says so in one sentence, and what was pushed before stays."""
    before = versions(days.root)
    status, screen = days.run("--days", taken)
    assert status == 1, screen
    for sentence in sentences:
        assert sentence in screen, screen
    assert "Traceback" not in screen
    assert versions(days.root) == before

"""Every tab of TensorBoard in a real browser; `make screenshots` keeps the pictures."""

from __future__ import annotations

import dataclasses
import shutil
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import worlds
from tests.browser import PROGRAMS, Browser, browser
from uvcan_tf.config import Config, EvaluationConfig, ModelConfig, TrainingConfig
from uvcan_tf.training.fit import fit
from uvcan_tf.training.tensorboard.board import Logs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason="no chromium with its driver here"
    ),
]

CONFIG = Config(
    model=ModelConfig(factors=8, hops=2, initial_stddev=0.3),
    training=TrainingConfig(
        learning_rate=0.01, batch_size=64, epochs=8, patience=8, l2=1e-5
    ),
    evaluation=EvaluationConfig(sampled_negatives=20),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """TensorBoard over a run and three trials, on a free port of this machine."""
    folder = tmp_path_factory.mktemp("runs")
    dataset = worlds.planted()
    features = dataclasses.replace(
        dataset.features, slices=("taste",), popularity_of="author"
    )
    dataset = dataclasses.replace(dataset, features=features)
    for number, rate in enumerate((0.003, 0.01, 0.03), start=1):
        name = f"run-1-trial-{number:02d}"
        training = dataclasses.replace(CONFIG.training, learning_rate=rate, epochs=3)
        trial = dataclasses.replace(CONFIG, training=training)
        fit(dataset, trial, folder / name, logs=Logs(folder / "logs" / name, True))
    fit(dataset, CONFIG, folder / "run-1", logs=Logs(folder / "logs" / "run-1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorBoard imports pkg_resources
        from tensorboard import default, program
    board = program.TensorBoard(plugins=default.get_plugins())
    logs = str(folder / "logs")
    board.configure(
        [None, "--logdir", logs, "--port", "0", "--load_fast", "false"]
        + ["--host", "localhost"]
    )
    return str(board.launch())


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("tab", "texts"),
    [
        ("timeseries", ("run-1-trial-02", "attention")),
        ("scalars", ("run-1-trial-02", "training", "validation", "norms")),
        ("images", ("attention_by_taste", "run-1-trial-02")),
        ("histograms", ("scores/likes", "scores/rivals")),
        ("graphs", ("Namespace",)),
        ("projector", ("3 tensors found", "videos 60x8", "author 3x8")),
        ("hparams", ("training.learning_rate", "run-1-trial-03")),
        ("text", ("declaration", "versions")),
    ],
)
def test_a_tab_shows_the_run(
    tab: str,
    texts: tuple[str, ...],
    address: str,
    window: Browser,
    request: pytest.FixtureRequest,
) -> None:
    window.open(f"{address}#{tab}")
    window.wait_for(*texts)
    folder = request.config.getoption("--screenshots")
    if folder:
        time.sleep(5)  # what moves into its place
        Path(folder).mkdir(parents=True, exist_ok=True)
        window.picture(Path(folder) / f"tensorboard-{tab}.png")

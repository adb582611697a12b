"""A file of `--steps` says how steps run; a mistake in it is one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from tfx_pipeline.platforms.settings import Machine, load
from uvcan_tf.config import ConfigError


def _file(folder: Path, content: Any) -> Path:
    (folder / "steps.json").write_text(json.dumps(content))
    return folder / "steps.json"


def test_without_a_file_everything_has_a_default() -> None:
    assert load(None, platform="vertex", image="i").machine == Machine()


def test_a_named_step_has_its_own_machine(tmp_path: Path) -> None:
    content = {
        "machine": {"cpus": 3},
        "machines": {"Trainer": {"memory_gb": 13}},
        "retries": 5,
    }
    steps = load(_file(tmp_path, content), image="i")
    assert steps.machine_of("Trainer") == Machine(memory_gb=13)
    assert steps.machine_of("Pusher") == Machine(cpus=3)
    assert (steps.retries, steps.image) == (5, "i")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"retrys": 2}, "steps.json: .*object with .*retries.*Received: retrys"),
        ({"machine": {"cpu": 2}}, "object with cpus.*Received: cpu"),
        ({"machines": {"Trainer": {"cpus": 0}}}, "cpus.*positive.*Received: cpus=0"),
        ({"environment": {"A": 2}}, "`environment.A` should be a string.*Received: 2"),
        ([], "should be an object.*Received"),
        ({"image": "other"}, "Received: image"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, content: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load(_file(tmp_path, content), image="i")

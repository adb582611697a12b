"""What a run is given replaces what was compiled, where the executors read it."""

import json

import pytest
from tfx.utils import proto_utils

from tfx_pipeline.config import CONFIG_KEY, PipelineConfig
from tfx_pipeline.evaluation import eval_config
from tfx_pipeline.platforms.parameters import fill, require_readable
from uvcan_tf.config import ConfigError

PIPELINE = PipelineConfig(data="/d", root="{root}")


def test_the_root_is_put_into_every_setting_and_is_none_itself() -> None:
    given = {"root": "/mnt/r", "accepted": "{root}/a", "other": '{"b": "{root}/c"}'}
    filled = fill(given)
    assert filled == {"accepted": "/mnt/r/a", "other": '{"b": "/mnt/r/c"}'}


def test_epochs_change_only_the_epochs() -> None:
    custom = PIPELINE.training_config()
    filled = fill({"custom_config": json.dumps(custom), "epochs": 7.0})
    found = json.loads(filled["custom_config"])
    before, after = (json.loads(c[CONFIG_KEY]) for c in (custom, found))
    assert after["training"].pop("epochs") == 7
    assert before["training"].pop("epochs") == 30
    assert after == before
    assert "epochs" not in filled


def test_epochs_that_are_none_are_one_sentence() -> None:
    custom = json.dumps(PIPELINE.training_config())
    with pytest.raises(ConfigError, match="epochs.*positive int.*Received: epochs=0"):
        fill({"custom_config": custom, "epochs": 0})


def test_thresholds_are_those_of_a_pipeline_compiled_with_them() -> None:
    compiled = proto_utils.proto_to_json(eval_config(PIPELINE))
    wanted = PipelineConfig("/d", "{root}", min_hit_rate=0.25, tolerance=0.5)
    filled = fill({"eval_config": compiled, "min_hit_rate": 0.25, "tolerance": 0.5})
    expected = json.loads(proto_utils.proto_to_json(eval_config(wanted)))
    assert json.loads(filled["eval_config"]) == expected


@pytest.mark.parametrize("address", ["/mnt/a", "gs://bucket/a", "relative"])
def test_a_volume_and_what_tensorflow_knows_are_readable(address: str) -> None:
    require_readable("data", address, ("gs",))


def test_another_store_is_not() -> None:
    with pytest.raises(ConfigError, match="`root`.*gs://.*Received: root='s3://b'"):
        require_readable("root", "s3://b", ("gs",))

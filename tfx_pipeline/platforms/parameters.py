"""What a person may change when starting a run, without compiling again.

The compiled steps hold the token `{root}` in their settings, and the parameters as
inputs of their own; `fill` puts the values in, in the step's process.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline

from tfx_pipeline.config import CONFIG_KEY, PipelineConfig
from uvcan_tf import config as settings
from uvcan_tf.errors import ConfigError

ROOT_TOKEN: Final = "{root}"

DATA: Final = "data"
ROOT: Final = "root"
EPOCHS: Final = "epochs"
MIN_HIT_RATE: Final = "min_hit_rate"
TOLERANCE: Final = "tolerance"
DRIFT: Final = "drift"

#: Inputs that no executor knows, by the nodes that are given them.
_FOLDED: Final = {
    "Tuner": (EPOCHS,),
    "Trainer": (EPOCHS,),
    "Evaluator": (MIN_HIT_RATE, TOLERANCE),
}
#: Settings that are a parameter as they are: node, setting, parameter.
_WHOLE: Final = (
    ("TablesFingerprint", "tables", DATA),
    ("ExampleGen", "input_base", DATA),
    ("DriftGate", "reaction", DRIFT),
)


def defaults(config: PipelineConfig) -> dict[str, Any]:
    """The value of each parameter where a run is given none."""
    return {
        DATA: config.data,
        ROOT: config.root,
        EPOCHS: config.config.training.epochs,
        MIN_HIT_RATE: config.hit_rate_to_reach,
        TOLERANCE: config.tolerance,
        DRIFT: config.drift,
    }


def attach(pipeline: Pipeline, config: PipelineConfig) -> None:
    """Gives the nodes of a pipeline with tokens their parameters."""
    values = defaults(config)

    def parameter(name: str) -> RuntimeParameter:
        return RuntimeParameter(name, type(values[name]), values[name])

    whole = {(node, key): name for node, key, name in _WHOLE}
    for node in pipeline.components:
        given = node.exec_properties
        for key in given:
            if (node.id, key) in whole:
                given[key] = parameter(whole[node.id, key])
        if any(isinstance(v, str) and ROOT_TOKEN in v for v in given.values()):
            given[ROOT] = parameter(ROOT)
        for name in _FOLDED.get(node.id, ()):
            given[name] = parameter(name)


def fill(values: dict[str, Any]) -> dict[str, Any]:
    """The settings that the executor knows, with the parameters put in."""
    filled = dict(values)
    root = filled.pop(ROOT, ROOT_TOKEN)
    epochs = filled.pop(EPOCHS, None)
    thresholds = [filled.pop(name, None) for name in (MIN_HIT_RATE, TOLERANCE)]
    for name, value in filled.items():
        if isinstance(value, str):
            filled[name] = value.replace(ROOT_TOKEN, root)
    if epochs is not None:
        filled["custom_config"] = _with_epochs(filled["custom_config"], int(epochs))
    if None not in thresholds:
        filled["eval_config"] = _with_thresholds(filled["eval_config"], *thresholds)
    return filled


def require_readable(name: str, address: str, schemes: tuple[str, ...]) -> None:
    """Raises `ConfigError` unless the steps can read and write the address.

    The launcher copies artifacts, and nothing else; TensorFlow reads what is not one.
    """
    scheme, found, _ = address.partition("://")
    if found and scheme not in schemes:
        known = " or ".join(f"{known}://" for known in schemes)
        raise ConfigError(
            f"`{name}` should be a folder of a mounted volume, or start with {known}, "
            f"which TensorFlow reads. Received: {name}={address!r}. Mount the bucket "
            "as a volume, or copy it."
        )


def _with_epochs(custom_config: str, epochs: int) -> str:
    custom = json.loads(custom_config)
    content = json.loads(custom[CONFIG_KEY])
    content["training"]["epochs"] = epochs
    settings.from_json(content)  # one sentence where it is not a number of epochs
    return json.dumps({**custom, CONFIG_KEY: json.dumps(content, sort_keys=True)})


def _with_thresholds(eval_config: str, least: float, tolerance: float) -> str:
    """The same configuration with other thresholds; TFX writes it as JSON."""
    content = json.loads(eval_config)
    for specification in content["metrics_specs"]:
        for metric in specification["metrics"]:
            for slice_ in metric.get("per_slice_thresholds", ()):
                threshold = slice_["threshold"]
                threshold["value_threshold"]["lower_bound"] = float(least)
                threshold["change_threshold"]["absolute"] = -float(tolerance)
    return json.dumps(content)

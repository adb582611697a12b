"""Which model a candidate has to beat, and begins with, where no resolver can be asked.

A model is pushed if, and only if, it was blessed, so that the serving folder knows
which was blessed last.
"""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

from pathlib import Path
from typing import Final

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.base_node import BaseNode
from tfx.types.standard_artifacts import Examples, Model
from tfx.utils import io_utils, path_utils

from tfx_pipeline.addresses import is_local
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.pusher import is_same, pushed_versions

#: A property of a model that is none; `step` leaves such an input out.
ABSENT: Final = "absent"


@component
def LastBlessedModel(
    candidate: InputArtifact[Model],
    model: OutputArtifact[Model],
    serving: Parameter[str],
) -> None:
    """Copies the newest pushed version that is not the candidate itself."""
    known = path_utils.serving_model_path(candidate.uri)
    others = (v for v in pushed_versions(serving) if not _is_known(v, known))
    _hand_on(next(others, None), model)


@component
def ModelToBeginWith(
    examples: InputArtifact[Examples],
    model: OutputArtifact[Model],
    serving: Parameter[str],
) -> None:
    """Copies the newest pushed version.

    The platform reuses the copy as long as the examples are the same. A second run on
    them thus begins with the same model as the first, and not with the first's own.
    """
    _hand_on(next(pushed_versions(serving), None), model)


def last_blessed(config: PipelineConfig, trainer: BaseNode) -> BaseNode:
    """The node, after the Trainer."""
    return LastBlessedModel(
        candidate=trainer.outputs["model"], serving=config.serving
    ).with_id("LastBlessedModel")


def model_to_begin_with(config: PipelineConfig, data: BaseNode) -> BaseNode:
    """The node, after ExampleGen."""
    return ModelToBeginWith(
        examples=data.outputs["examples"], serving=config.serving
    ).with_id("ModelToBeginWith")


def _hand_on(version: str | None, model: Model) -> None:
    """Copies a version to the output, or says that there is none."""
    model.set_int_custom_property(ABSENT, int(version is None))
    if version is not None:
        io_utils.copy_dir(version, path_utils.serving_model_dir(model.uri))


def _is_known(version: str, model: str) -> bool:
    """Whether a version is the model; elsewhere nothing is read twice to know."""
    if not is_local(version) or not is_local(model):
        return False
    return is_same(Path(version), Path(model))

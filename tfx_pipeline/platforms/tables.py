"""ExampleGen where nobody asks its driver for the tables' fingerprint."""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

import hashlib
import os

from tfx.dsl.component.experimental.annotations import OutputDict, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.types import Channel
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)
from tfx.types.standard_artifacts import Examples

from tfx_pipeline.addresses import files_of
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.example_gen import Executor, custom_config

_PIECE = 1 << 20


@component
def TablesFingerprint(tables: Parameter[str]) -> OutputDict(fingerprint=str):  # type: ignore[valid-type]
    """Reads the tables, so that ExampleGen has an input that changes with them.

    The platforms reuse a step's outputs where its command and its inputs are the same.
    The address of the tables stays the same when their content changes.
    """
    return {"fingerprint": fingerprint(tables)}


def fingerprint(folder: str) -> str:
    """Of the names and the content of all files of a folder or an address."""
    digest = hashlib.sha256()
    for name in files_of(folder):
        path = os.path.join(folder, name)
        digest.update(f"{name}\0{fileio.stat(path).length}\0".encode())
        with fileio.open(path, "rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()[:32]


class ExampleGenSpec(ComponentSpec):
    """The parameters that the executor reads, and the fingerprint, which it does not.

    The fingerprint is here for the platform's cache.
    """

    PARAMETERS = {
        "input_base": ExecutionParameter(type=str),
        "custom_config": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {"examples": ChannelParameter(type=Examples)}


class ExampleGen(BaseBeamComponent):
    """The executor of the local pipeline, without TFX's driver."""

    SPEC_CLASS = ExampleGenSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)


def example_gen(config: PipelineConfig) -> list[BaseNode]:
    """The node that reads the fingerprint, and ExampleGen."""
    found = TablesFingerprint(tables=config.data)
    data = ExampleGen(
        ExampleGenSpec(
            input_base=config.data,
            custom_config=custom_config(config),
            fingerprint=found.outputs["fingerprint"].future()[0].value,
            examples=Channel(type=Examples),
        )
    )
    data.add_upstream_node(found)
    return [found, data]

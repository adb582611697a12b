"""The last node: figures and verdict, for the platform's page of a run."""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

import os
from collections.abc import Iterator

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.io import fileio
from tfx.types.standard_artifacts import Examples, ModelEvaluation

from tfx_pipeline import report
from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.platforms.artifacts import Markdown, Metrics
from tfx_pipeline.report import Report


@component
def Verdict(
    examples: InputArtifact[Examples],
    evaluation: InputArtifact[ModelEvaluation],
    metrics: OutputArtifact[Metrics],
    verdict: OutputArtifact[Markdown],
) -> None:
    """Shows why a model was not blessed, or that it was, with the figures by slice."""
    found = report.of_evaluation(examples, evaluation.uri)
    for name in REPORTED:
        metrics.set_float_custom_property(name, found.slices["overall"][name])
    metrics.set_int_custom_property("blessed", int(found.blessed))
    fileio.makedirs(os.path.dirname(verdict.uri))
    with fileio.open(verdict.uri, "w") as file:
        file.write("\n".join(lines(found)) + "\n")


def verdict(examples: BaseNode, evaluator: BaseNode) -> list[BaseNode]:
    """The node, after the Evaluator."""
    return [
        Verdict(
            examples=examples.outputs["examples"],
            evaluation=evaluator.outputs["evaluation"],
        )
    ]


def lines(found: Report) -> Iterator[str]:
    """The verdict with its reasons, and a table of the slices, in Markdown."""
    yield "# Blessed" if found.blessed else "# Not blessed, not pushed"
    yield ""
    for reason in found.reasons:
        yield f"- {reason}"
    if found.reasons:
        yield ""
    yield f"| slice | {' | '.join(REPORTED)} | pairs |"
    yield "|---" * (len(REPORTED) + 2) + "|"
    for name, values in found.slices.items():
        figures = " | ".join(f"{values[metric]:.4f}" for metric in REPORTED)
        yield f"| {name} | {figures} | {values[COUNT]:,.0f} |"

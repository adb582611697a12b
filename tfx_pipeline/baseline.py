"""Which model a candidate has to beat, and begins with, on this machine."""

from __future__ import annotations

from collections.abc import Callable

import ml_metadata as mlmd
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.types import Artifact, Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.store import EXAMPLE_GEN, last_outputs, made_of


class PreviousBlessedModel(LatestBlessedModelStrategy):
    """The latest blessed model other than the candidate itself.

    With the plain strategy an unchanged second run finds its own model as the
    baseline, so that evaluation and pushing run once more instead of being cached.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]] | None:
        """Takes the Trainer's model out before the choice."""
        candidates = {artifact.id for artifact in last_outputs(store, "Trainer")}
        others = _models(input_dict, lambda model: model not in candidates)
        return super().resolve_artifacts(store, others)


class BlessedModelOfOtherExamples(LatestBlessedModelStrategy):
    """The latest blessed model that was not trained on the examples of this run.

    An unchanged second run then begins with the same model, and comes from the cache.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]] | None:
        """Takes the models of these examples out before the choice."""
        examples = {artifact.id for artifact in last_outputs(store, EXAMPLE_GEN)}
        others = _models(input_dict, lambda model: not made_of(store, model) & examples)
        return super().resolve_artifacts(store, others)


def _models(
    artifacts: dict[str, list[Artifact]], kept: Callable[[int], object]
) -> dict[str, list[Artifact]]:
    """The same artifacts, of models only those whose number is to be kept."""
    return {
        key: [a for a in some if a.type_name != Model.TYPE_NAME or kept(a.id)]
        for key, some in artifacts.items()
    }


def resolver(config: PipelineConfig, trainer: BaseNode) -> BaseNode:
    """The node that asks the metadata store, once the Trainer is done."""
    return _asked(PreviousBlessedModel, trainer).with_id("LatestBlessedModel")


def start(config: PipelineConfig, data: BaseNode) -> BaseNode:
    """The node that asks the metadata store, once ExampleGen is done."""
    return _asked(BlessedModelOfOtherExamples, data).with_id("ModelToBeginWith")


def _asked(strategy: type[LatestBlessedModelStrategy], after: BaseNode) -> BaseNode:
    node = Resolver(
        strategy_class=strategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    )
    node.add_upstream_node(after)
    return node

"""The pipeline, top to bottom: raw tables to a blessed and pushed SavedModel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ml_metadata.proto import metadata_store_pb2
from tfx.components import (
    Evaluator,
    ExampleValidator,
    StatisticsGen,
    Trainer,
    Transform,
)
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, trainer_pb2, transform_pb2

from tfx_pipeline import schema, snapshot
from tfx_pipeline.config import FEATURES_KEY, PipelineConfig
from tfx_pipeline.drift_gate import DriftGate
from tfx_pipeline.evaluation import eval_config
from tfx_pipeline.gates import AnomalyGate
from tfx_pipeline.pusher import WholePusher
from tfx_pipeline.skew_gate import SkewGate
from tfx_pipeline.switched import bulk_inferrer, infra_validator, tuner
from tfx_pipeline.table_schema import TableSchema
from uvcan_tf import features as names

#: Interactions hold no value that these two do not.
TABLES = [names.USERS, names.VIDEOS]


@dataclasses.dataclass(frozen=True)
class Parts:
    """The nodes that each runner has of its own.

    Args:
      data: ExampleGen, after the nodes that it needs.
      baseline: the node that finds the model to compare with, given the Trainer.
      start: the node that finds the model to begin with, given ExampleGen; of a
        warm start alone.
      closing: what is done at the end, given ExampleGen and the Evaluator.
    """

    data: Callable[[PipelineConfig], list[BaseNode]]
    baseline: Callable[[PipelineConfig, BaseNode], BaseNode]
    start: Callable[[PipelineConfig, BaseNode], BaseNode]
    closing: Callable[[BaseNode, BaseNode], list[BaseNode]] = lambda *_: []


def create_pipeline(
    config: PipelineConfig,
    parts: Parts,
    metadata: metadata_store_pb2.ConnectionConfig | None = None,
) -> Pipeline:
    """The one graph of all runners.

    Args:
      config: what to run on, with the switches.
      parts: the nodes that the runner has of its own.
      metadata: the metadata store, where the platform does not bring its own.
    """
    *before, data = parts.data(config)
    statistics = StatisticsGen(examples=data.outputs["examples"])
    schemas = {name: _schema(config, name) for name in schema.NAMES}
    validators = {n: _validator(statistics, schemas[n], n) for n in schema.SPLITS_OF}
    anomaly_gate = _anomaly_gate(data, statistics, validators)
    gates = _gates(config, statistics, anomaly_gate)
    transform = _transform(config, data, schemas[schema.UNION], gates[-1])
    tuned = [tuner(config, data, transform)] if config.tune else []
    start = [parts.start(config, data)] if config.warm_start else []
    trainer = _trainer(config, data, transform, tuned, start)
    baseline = parts.baseline(config, trainer)
    evaluator = _evaluator(config, data, trainer, baseline)
    checked = [infra_validator(data, trainer)] if config.check_serving else []
    pusher = _pusher(config, trainer, evaluator, checked)
    inferred = [bulk_inferrer(data, trainer, evaluator)] if config.bulk_infer else []
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.root,
        components=[
            *(*before, data, statistics, *schemas.values(), *validators.values()),
            *(*gates, transform, *tuned, *start, trainer),
            *(baseline, evaluator, *checked, pusher, *inferred),
            *parts.closing(data, evaluator),
        ],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=list(config.beam_pipeline_args),
    )


def _schema(config: PipelineConfig, name: str) -> BaseNode:
    content = config.transform_config()[FEATURES_KEY]
    return TableSchema(declaration=content, table=name).with_id(f"TableSchema-{name}")


def _validator(statistics: BaseNode, described: BaseNode, name: str) -> BaseNode:
    others = [s for s in snapshot.SPLITS if s not in schema.SPLITS_OF[name]]
    return ExampleValidator(
        statistics=statistics.outputs["statistics"],
        schema=described.outputs["schema"],
        exclude_splits=others,
    ).with_id(f"ExampleValidator-{name}")


def _anomaly_gate(
    data: BaseNode, statistics: BaseNode, validators: dict[str, BaseNode]
) -> BaseNode:
    return AnomalyGate(
        examples=data.outputs["examples"],
        statistics=statistics.outputs["statistics"],
        **{name: node.outputs["anomalies"] for name, node in validators.items()},
    )


def _gates(
    config: PipelineConfig, statistics: BaseNode, anomaly_gate: BaseNode
) -> list[BaseNode]:
    """All gates before training, each behind those before it."""
    gates = [anomaly_gate]
    if config.requests:
        gates.append(_skew_gate(config, statistics, anomaly_gate))
    return [*gates, _drift_gate(config, statistics, gates)]


def _skew_gate(
    config: PipelineConfig, statistics: BaseNode, gate: BaseNode
) -> BaseNode:
    node = SkewGate(
        statistics=statistics.outputs["statistics"],
        declaration=config.transform_config()[FEATURES_KEY],
        requests=config.requests,
        digest=config.requests_digest,
        reaction=config.skew,
    )
    node.add_upstream_node(gate)
    return node


def _drift_gate(
    config: PipelineConfig, statistics: BaseNode, gates: list[BaseNode]
) -> BaseNode:
    node = DriftGate(
        statistics=statistics.outputs["statistics"],
        accepted=f"{config.accepted}/{schema.fingerprint(config.features)}",
        reaction=config.drift,
    )
    node.add_upstream_nodes(gates)
    return node


def _transform(
    config: PipelineConfig, data: BaseNode, union: BaseNode, gate: BaseNode
) -> BaseNode:
    """Learns vocabularies; whoever reads examples applies its graph."""
    transform = Transform(
        examples=data.outputs["examples"],
        schema=union.outputs["schema"],
        preprocessing_fn="tfx_pipeline.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=TABLES),
        materialize=False,
        custom_config=config.transform_config(),
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    transform.add_upstream_node(gate)
    return transform


def _trainer(
    config: PipelineConfig,
    data: BaseNode,
    transform: BaseNode,
    tuned: list[BaseNode],
    start: list[BaseNode],
) -> BaseNode:
    found = tuned[0].outputs["best_hyperparameters"] if tuned else None
    return Trainer(
        examples=data.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        run_fn="tfx_pipeline.trainer.run_fn",
        train_args=trainer_pb2.TrainArgs(splits=snapshot.TRAINED_ON),
        eval_args=trainer_pb2.EvalArgs(splits=[names.TRAIN]),  # run_fn sets pairs apart
        custom_config=config.training_config(),
        hyperparameters=found,
        base_model=start[0].outputs["model"] if start else None,
    )


def _evaluator(
    config: PipelineConfig, data: BaseNode, trainer: BaseNode, baseline: BaseNode
) -> BaseNode:
    return Evaluator(
        examples=data.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        example_splits=[names.EVAL],
        eval_config=eval_config(config),
    )


def _pusher(
    config: PipelineConfig,
    trainer: BaseNode,
    evaluator: BaseNode,
    checked: list[BaseNode],
) -> BaseNode:
    return WholePusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(
                base_directory=config.serving
            )
        ),
        infra_blessing=checked[0].outputs["blessing"] if checked else None,
    ).with_id("Pusher")

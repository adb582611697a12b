"""The components that a configuration may switch on."""

from __future__ import annotations

from tfx.components import BulkInferrer, InfraValidator, Tuner
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import bulk_inferrer_pb2, infra_validator_pb2, trainer_pb2

from tfx_pipeline import snapshot
from tfx_pipeline.config import PipelineConfig
from uvcan_tf import features as names

MODEL_SERVER = "2.16.1"


def tuner(config: PipelineConfig, data: BaseNode, transform: BaseNode) -> BaseNode:
    """Searches the paper's grid on a validation split of the training pairs."""
    return Tuner(
        examples=data.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        tuner_fn="tfx_pipeline.tuner.tuner_fn",
        train_args=trainer_pb2.TrainArgs(splits=snapshot.TRAINED_ON),
        eval_args=trainer_pb2.EvalArgs(splits=[names.EVAL]),
        custom_config=config.training_config(),
    )


def infra_validator(data: BaseNode, trainer: BaseNode) -> BaseNode:
    """Loads the model in TensorFlow Serving's image and sends it a few examples."""
    serving = infra_validator_pb2.TensorFlowServing(tags=[MODEL_SERVER])
    requests = infra_validator_pb2.TensorFlowServingRequestSpec(
        signature_names=[names.SERVING_DEFAULT]
    )
    return InfraValidator(
        model=trainer.outputs["model"],
        examples=data.outputs["examples"],
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=serving,
            local_docker=infra_validator_pb2.LocalDockerConfig(),
        ),
        request_spec=infra_validator_pb2.RequestSpec(
            tensorflow_serving=requests, split_name=names.EVAL, num_examples=3
        ),
    )


def bulk_inferrer(data: BaseNode, trainer: BaseNode, evaluator: BaseNode) -> BaseNode:
    """Scores the held-out pairs with the model, if it was blessed."""
    return BulkInferrer(
        examples=data.outputs["examples"],
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        data_spec=bulk_inferrer_pb2.DataSpec(example_splits=[names.EVAL]),
        model_spec=bulk_inferrer_pb2.ModelSpec(
            model_signature_name=[names.SERVING_DEFAULT]
        ),
    )

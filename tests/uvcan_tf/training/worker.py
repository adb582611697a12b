"""One process of a training run, for `test_distribution`."""

import dataclasses
import json
import sys
from pathlib import Path

import tensorflow as tf

from tests import worlds
from uvcan_tf.config import MIRRORED, Config, IALSSettings, ModelConfig, TrainingConfig
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import fit


def config(
    distribute: str, batch_size: int, epochs: int, prior: bool = False
) -> Config:
    """A world of 480 likes is learned in a few epochs."""
    return Config(
        prior=IALSSettings(factors=4, unobserved_weight=0.1) if prior else None,
        model=ModelConfig(factors=8, hops=1, initial_stddev=0.3),
        training=TrainingConfig(
            learning_rate=0.02,
            batch_size=batch_size,
            epochs=epochs,
            patience=epochs,
            distribute=distribute,
        ),
    )


def main(
    folder: Path, distribute: str, batch_size: int, epochs: int, prior: bool
) -> None:
    if distribute == MIRRORED:
        (cpu,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    settings = config(distribute, batch_size, epochs, prior)
    team = Team(settings.training)
    told: list[str] = []
    model = fit(worlds.planted(), settings, folder, told.append, team=team)
    found = {
        **dataclasses.asdict(team.replicas),
        "pairs": model.batches.pairs,
        "steps": model.batches.steps,
        "weights": [float(tf.reduce_sum(w * w)) for w in model.network.weights],
        "told": told,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    batch, number, has_prior = (int(argument) for argument in sys.argv[3:])
    main(Path(sys.argv[1]), sys.argv[2], batch, number, bool(has_prior))

"""One process of a training run, for `test_distribution`."""

import dataclasses
import json
import sys
from pathlib import Path

import tensorflow as tf

from tests import worlds
from uvcan_tf.config import MIRRORED, Config, ModelConfig, TrainingConfig
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.fit import fit


def config(distribute: str, batch_size: int, epochs: int) -> Config:
    """A world of 480 likes is learned in a few epochs."""
    return Config(
        model=ModelConfig(factors=8, hops=1, initial_stddev=0.3),
        training=TrainingConfig(
            learning_rate=0.02,
            batch_size=batch_size,
            epochs=epochs,
            patience=epochs,
            distribute=distribute,
        ),
    )


def main(folder: Path, distribute: str, batch_size: int, epochs: int) -> None:
    if distribute == MIRRORED:
        (cpu,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    settings = config(distribute, batch_size, epochs)
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
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

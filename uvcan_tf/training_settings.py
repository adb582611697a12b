"""How a network is fitted."""

from __future__ import annotations

import dataclasses

from uvcan_tf.validators import (
    require_boolean,
    require_choice,
    require_count,
    require_first_and_last,
    require_number,
    require_seed,
)

MIRRORED, MULTI_WORKER = "mirrored", "multi-worker"
#: Who trains: one device, all devices of a process, or the processes of `TF_CONFIG`.
DISTRIBUTIONS = ("none", MIRRORED, MULTI_WORKER)
#: Of the factors and the results of matrix products in training.
PRECISIONS = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the network is fitted (sections 4.4 and 5.4).

    Args:
      learning_rate: of Adam (the paper's grid: 1e-4, 1e-3, 1e-2, 1e-1).
      batch_size: observed pairs a step; each brings `negatives` unobserved ones.
      negatives: unobserved pairs drawn for each observed one (the paper: 4).
      popular_negatives: share of the negatives drawn by popularity, with a correction.
        Unlike the paper, as is `softmax`; see `negatives.MixedSampler`.
      softmax: whether the loss asks which of a pair's videos was the observed one; see
        `losses.cross_entropies`.
      l2: weight of the squared weights (the paper's grid: 0, 1e-3, 1e-2, 1e-1).
      average_decay: of the moving average over epochs that stands for the weights
        wherever they are measured, kept or served; 0 for none. Unlike the paper.
      epochs: passes over the observed pairs, at most.
      patience: epochs without a better validation NDCG@100 before stopping.
      time_limit_s: no epoch starts after so many seconds of training.
      validation_fraction: share of the training pairs kept for validation: the last
        ones where `evaluation.split` is in time, as the test set is.
      validation_users: at most so many users are scored at each validation. A prior
        is weighed by the pairs of other users, up to four times as many.
      seed: of the initial weights, the order of pairs, negatives and id dropout.
      distribute: one of `DISTRIBUTIONS`; each worker takes a whole batch.
      profile_steps: first and last step, from 1, that TensorFlow profiles, if any.
      precision: one of `PRECISIONS`, of the products of a step; see `products_in`. All
        else, and whatever is measured or served, is float32.
    """

    learning_rate: float = 0.001
    batch_size: int = 2048
    negatives: int = 4
    popular_negatives: float = 0.0
    softmax: bool = False
    l2: float = 0.0
    average_decay: float = 0.0
    epochs: int = 30
    patience: int = 3
    time_limit_s: float = 86_400.0
    validation_fraction: float = 0.1
    validation_users: int = 500
    seed: int = 1
    distribute: str = "none"
    profile_steps: tuple[int, ...] = ()
    precision: str = "float32"

    def __post_init__(self) -> None:
        counts = ("batch_size", "negatives", "epochs", "patience", "validation_users")
        for name in counts:
            require_count(f"training.{name}", getattr(self, name))
        require_number("training.learning_rate", self.learning_rate, 1e-8, 10)
        require_number("training.popular_negatives", self.popular_negatives, 0, 1)
        require_boolean("training.softmax", self.softmax)
        require_number("training.l2", self.l2, 0, 1e3)
        require_number("training.average_decay", self.average_decay, 0, 0.999)
        require_number("training.time_limit_s", self.time_limit_s, 1, 1e9)
        require_number("training.validation_fraction", self.validation_fraction, 0, 0.5)
        require_seed("training.seed", self.seed)
        require_choice("training.distribute", self.distribute, DISTRIBUTIONS)
        require_first_and_last("training.profile_steps", self.profile_steps)
        require_choice("training.precision", self.precision, PRECISIONS)

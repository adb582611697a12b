"""Settings of a user's history: the videos that they liked, as part of the model."""

from __future__ import annotations

import dataclasses
from typing import Any

from uvcan_tf.validators import (
    require_boolean,
    require_count,
    require_not_negative,
    require_number,
)

__all__ = ["HistorySettings"]


@dataclasses.dataclass(frozen=True)
class HistorySettings:
    """What UVCAN makes of the videos that a user liked. Unlike the paper.

    Args:
      factors: D, the length of the vectors of liked videos.
      facet: whether the history is one more facet of the user.
      product: whether its product with a vector of the video, and the video's bias,
        are added to the rating, and the MLP learns what they leave open. With
        `shared_softmax`, the product learns as it does alone.
      bias: whether the product comes with a bias of the video.
      user_ids: whether a user's id counts, too. Without it, a user is likes and
        attributes alone: nothing is remembered that a new person could not have.
      shared_softmax: whether a step is `users` users, whose likes are split anew into
        given and asked ones, and the loss a softmax over candidates that all of them
        share; see `model.shared_softmax`. Otherwise a step is of pairs, as in the
        paper, and the pair's own video is left out of the history.
      l2: weight of the squared vectors that a step's product uses, by user; that of the
        network is `training.l2`. Only with `shared_softmax`.
      attribute_ridge: rows' worth of doubt in each value of an attribute, by which the
        product rates videos that nobody in training liked; 0 rates all of these alike.
      dropout: the share of a step's users for whom the network has no history, so that
        it also learns to rate who has none; the product learns from all. Only with
        `shared_softmax`.
      given: the share of a user's likes that make the history of a step; the others
        are asked for.
      uniform: candidates of a step that are drawn uniformly, beside all asked videos.
      candidates: of a step, at most.
      users: of a step; by default 128, and fewer where little data would leave an
        epoch less than 32 steps, but no less than 8.
      initial_stddev: standard deviation of the initial vectors.
    """

    factors: int = 128
    facet: bool = True
    product: bool = True
    bias: bool = True
    user_ids: bool = True
    shared_softmax: bool = True
    l2: float = 0.0
    attribute_ridge: float = 1.0
    dropout: float = 0.0
    given: float = 0.7
    uniform: int = 512
    candidates: int = 1536
    users: int | None = None
    initial_stddev: float = 0.05

    def __post_init__(self) -> None:
        for name in ("factors", "uniform", "candidates"):
            require_count(f"history.{name}", getattr(self, name))
        if self.users is not None:
            require_count("history.users", self.users)
        for name in ("facet", "product", "bias", "user_ids", "shared_softmax"):
            require_boolean(f"history.{name}", getattr(self, name))
        require_not_negative("history.l2", self.l2)
        require_number("history.attribute_ridge", self.attribute_ridge, 0, 1e6)
        require_number("history.dropout", self.dropout, 0, 1)
        require_number("history.given", self.given, 0, 1)
        require_number("history.initial_stddev", self.initial_stddev, 1e-8, 10)

    @property
    def of_network(self) -> dict[str, Any]:
        """The arguments of `CoAttentionNetwork` that it decides."""
        return {
            "history": self.factors if self.facet or self.product else 0,
            "history_product": self.product,
            "history_bias": self.bias,
            "history_stddev": self.initial_stddev,
        }

    def users_a_step(self, users: int) -> int:
        """How many of the users who like something share a step.

        >>> [HistorySettings().users_a_step(users) for users in (100, 1_200, 20_000)]
        [8, 37, 128]
        """
        return self.users or min(128, max(8, users // 32))

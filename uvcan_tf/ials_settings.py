"""Settings of the matrix factorisation iALS, a baseline and the prior of UVCAN."""

from __future__ import annotations

import dataclasses

from uvcan_tf.errors import ConfigError
from uvcan_tf.validators import require_count, require_number, require_seed

__all__ = ["IALSSettings"]


@dataclasses.dataclass(frozen=True)
class IALSSettings:
    """How iALS is fitted; see `factorization.ials`.

    Args:
      factors: length of a user's and a video's vector.
      unobserved_weight: α₀, of every pair beside the observed ones' weight of 1.
      regularization: λ.
      frequency: ν; a row's λ is multiplied by (its pairs + α₀ of all others)^ν.
      iterations: times that users and videos are solved for in turn.
      impression_weight: of impressions, pairs that were shown and not liked. They
        count as observed: to have been shown something says what a user is about. 0
        leaves them out, as the article does.
      attribute_ridge: rows' worth of doubt in each value of an attribute, by which a
        row without pairs gets factors; see `attribute_means`. 0 leaves attributes out.
      attribute_pull: how far λ pulls every row to what its attributes tell instead of
        to 0: 1 is the regression-based model, 0 leaves rows with pairs alone.
      seed: of the initial factors.
    """

    factors: int = 64
    unobserved_weight: float = 0.03
    regularization: float = 0.01
    frequency: float = 1.0
    iterations: int = 12
    impression_weight: float = 0.0
    attribute_ridge: float = 0.0
    attribute_pull: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("factors", "iterations"):
            require_count(f"prior.{name}", getattr(self, name))
        for name in ("unobserved_weight", "regularization"):
            require_number(f"prior.{name}", getattr(self, name), 1e-8, 1e3)
        for name in ("frequency", "impression_weight"):
            require_number(f"prior.{name}", getattr(self, name), 0, 10)
        require_number("prior.attribute_ridge", self.attribute_ridge, 0, 1e6)
        require_number("prior.attribute_pull", self.attribute_pull, 0, 1)
        if self.attribute_pull and not self.attribute_ridge:
            raise ConfigError(
                "`prior.attribute_pull` should be 0 where `prior.attribute_ridge` is. "
                f"Received: attribute_pull={self.attribute_pull!r}."
            )
        require_seed("prior.seed", self.seed)

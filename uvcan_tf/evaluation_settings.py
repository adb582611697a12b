"""What is held out and how it is ranked, and what is recommended."""

from __future__ import annotations

import dataclasses
from typing import Final

from uvcan_tf.errors import ConfigError
from uvcan_tf.validators import (
    require_boolean,
    require_choice,
    require_count,
    require_counts,
    require_number,
    require_seed,
)

# How the test set is chosen; see `EvaluationConfig.split`.
RANDOM: Final = "random"
TIME: Final = "time"
LAST: Final = "last"

# What serves a model; see `RecommendationConfig.device`.
CPU: Final = "cpu"
GPU: Final = "gpu"


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """The protocol of section 5.2.

    Args:
      split: how the test set is chosen. "random": a share of each user's likes, as in
        the paper. "time": whatever came after a moment, likes and impressions. "last":
        the last likes of each user. The last two need timestamps, and what came later
        is unknown to training; see `data.held_out`.
      held_out_fraction: share of each user's videos that form the test set; of a split
        in time, share of the log.
      split_at: the first timestamp of the test in a split in time; by default the one
        that leaves `held_out_fraction` of the log.
      last_likes: how many likes of each user "last" holds out.
      sampled_negatives: unobserved videos that each held-out pair is ranked against.
      cutoffs: the k of HR@k and NDCG@k.
      seed: of the held-out pairs and the sampled videos.
      skipped_impressions_last: whether what a user was shown and did not like ranks
        behind everything else: true or false for every method alike. By default, null,
        it does where a method learned from impressions, as a prior with a weight for
        them does.
    """

    split: str = RANDOM
    held_out_fraction: float = 0.2
    split_at: int | None = None
    last_likes: int = 1
    sampled_negatives: int = 1000
    cutoffs: tuple[int, ...] = (10, 20, 30, 40, 50)
    seed: int = 1
    skipped_impressions_last: bool | None = None

    def __post_init__(self) -> None:
        require_choice("evaluation.split", self.split, (RANDOM, TIME, LAST))
        if self.split_at is not None:
            require_number("evaluation.split_at", self.split_at, -(2**62), 2**62)
        require_count("evaluation.last_likes", self.last_likes)
        require_count("evaluation.sampled_negatives", self.sampled_negatives)
        require_counts("evaluation.cutoffs", self.cutoffs)
        require_number(
            "evaluation.held_out_fraction", self.held_out_fraction, 0.001, 0.9
        )
        require_seed("evaluation.seed", self.seed)
        if self.skipped_impressions_last is not None:
            name = "evaluation.skipped_impressions_last"
            require_boolean(name, self.skipped_impressions_last)

    def ranks_skipped_impressions_last(self, knows_impressions: bool) -> bool:
        """Whether they come last for a method; the one place that decides it.

        Args:
          knows_impressions: whether the method learned from them.
        """
        chosen = self.skipped_impressions_last
        return knows_impressions if chosen is None else chosen


@dataclasses.dataclass(frozen=True)
class RecommendationConfig:
    """What the signature `recommend` leaves out besides what a user liked.

    Args:
      without_skipped_impressions: whether it leaves out what the user was shown before
        and did not like. By default, null, it does where these rank last.
      remembers_likes: whether the SavedModel holds for each user what they liked, and
        what they skipped where that counts. Otherwise it holds no such lists, and
        `recommend` leaves out what a request tells, and nothing else.
      candidates: how many videos of a large catalogue `recommend` rates in full: those
        of the greatest product, by the prior, the history, or both. It then finds most
        of the exact answer, in a small part of the time. By default, null, it rates all
        videos.
      device: `cpu` or `gpu`: what will serve the model. The answers are the same;
        `recommend` rates as many videos at once as that device is fast with.
    """

    without_skipped_impressions: bool | None = None
    remembers_likes: bool = True
    candidates: int | None = None
    device: str = CPU

    def __post_init__(self) -> None:
        if self.candidates is not None:
            require_count("recommendation.candidates", self.candidates)
        require_boolean("recommendation.remembers_likes", self.remembers_likes)
        require_choice("recommendation.device", self.device, (CPU, GPU))
        if self.without_skipped_impressions is not None:
            name = "recommendation.without_skipped_impressions"
            require_boolean(name, self.without_skipped_impressions)

    def check_beside(self, evaluation: EvaluationConfig, has_product: bool) -> None:
        """Refuses what needs the lists that are not to be saved, or a product.

        Args:
          has_product: whether a product of a user's and a video's factors is part of
            the rating.
        """
        if self.candidates is not None and not has_product:
            raise ConfigError(
                "`recommendation.candidates` should be null for a model without a "
                "product by which to find them. "
                f"Received: candidates={self.candidates}. Leave it out, or add the "
                "section `prior`, or `history` with its `product`."
            )
        needing = {
            "recommendation.without_skipped_impressions": (
                self.without_skipped_impressions
            ),
            "evaluation.skipped_impressions_last": evaluation.skipped_impressions_last,
        }
        for name, chosen in needing.items():
            if chosen and not self.remembers_likes:
                raise ConfigError(
                    f"`{name}` should be false where `recommendation.remembers_likes` "
                    "is false, because it needs to know what each user skipped. "
                    "Received: true. Set one of the two otherwise."
                )

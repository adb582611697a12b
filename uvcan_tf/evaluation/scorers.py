"""What can be ranked: whatever rates every video for a user.

Shapes: B users, V videos.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, overload

import numpy as np
import numpy.typing as npt

from uvcan_tf.data.dataset import Dataset, IntArray

#: What is added to the score of a skipped impression: behind everything else.
SKIPPED: Final = np.float32(-1e4)


class Scorer(Protocol):
    """Whatever rates every video for a user; the only thing evaluation asks for."""

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]: column v - 1 is the score of video row v."""
        ...


class ModelScorer(Scorer, Protocol):
    """A model's scorer, which follows the model once told to."""

    def refresh(self, model: Any) -> None:
        """Takes over the model's weights as they are now."""
        ...


class SkippedImpressionsLast:
    """Ranks what a user was shown and did not like behind everything else.

    A prior with `impression_weight` holds that what was shown is what a user is about;
    what was skipped all the same is then known to be wrong.
    """

    def __init__(self, scorer: Scorer, dataset: Dataset) -> None:
        self._scorer = scorer
        self._skipped = dataset.impressions.by_user(dataset.users.size)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]."""
        scores = self._scorer.scores(users).copy()
        for row, user in zip(scores, users, strict=True):
            row[self._skipped.of(int(user)) - 1] += SKIPPED
        return scores


class ModelSkippedImpressionsLast(SkippedImpressionsLast):
    """The same of a model that may still change."""

    def __init__(self, scorer: ModelScorer, dataset: Dataset) -> None:
        super().__init__(scorer, dataset)
        self.refresh = scorer.refresh


@overload
def ranked(
    scorer: ModelScorer, dataset: Dataset, skipped_last: bool
) -> ModelScorer: ...


@overload
def ranked(scorer: Scorer, dataset: Dataset, skipped_last: bool) -> Scorer: ...


def ranked(scorer: Any, dataset: Dataset, skipped_last: bool) -> Scorer:
    """The scorer as it is to rank.

    Args:
      scorer: may put skipped impressions last already.
      dataset: its impressions are meant.
      skipped_last: whether skipped impressions come last; the `EvaluationConfig`
        decides.
    """
    if not skipped_last or isinstance(scorer, SkippedImpressionsLast):
        return scorer
    if hasattr(scorer, "refresh"):
        return ModelSkippedImpressionsLast(scorer, dataset)
    return SkippedImpressionsLast(scorer, dataset)

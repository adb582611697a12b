"""Settings of UVCAN that have a name.

Run either alone by `python -m uvcan_tf experiment table3 --data TABLES --methods ...`
with the name that the function gives.
"""

from __future__ import annotations

from uvcan_tf.config import (
    Config,
    HistorySettings,
    IALSSettings,
    RecommendationConfig,
    TrainingConfig,
)


def paper() -> Config:
    """UVCAN as the paper has it.

    Command: python -m uvcan_tf experiment table3 --data TABLES
      --methods 'UVCAN(paper)'
    Duration and expected metric: results/<data>/settings/uvcan-paper.json.
    """
    return Config()


def best() -> Config:
    """UVCAN over a matrix factorisation that also knows what was shown.

    The co-attention is the paper's; it learns what iALS, cross-fitted, leaves open,
    choosing the observed video among eight rivals, half of them popular ones. Whoever
    has no pair yet has the factors that the attributes tell. Skipped impressions rank
    last, and are not recommended.

    Command: python -m uvcan_tf experiment table3 --data TABLES --methods UVCAN(best)
      In a pipeline: --config configs/best.json.
    Duration and expected metric: results/<data>/settings/uvcan-best.json.
    """
    return Config(
        training=TrainingConfig(
            negatives=8, popular_negatives=0.5, softmax=True, patience=2
        ),
        recommendation=RecommendationConfig(without_skipped_impressions=True),
        prior=IALSSettings(factors=128, impression_weight=0.5, attribute_ridge=3.0),
    )


def history() -> Config:
    """UVCAN over the product of what a user liked with the video.

    The product learns as it does alone, and the co-attention, with the likes as one
    more facet, what it leaves open. A user is likes and attributes, without an id of
    their own, so that a new person is rated as well by the likes of a request.

    Command: python -m uvcan_tf experiment table3 --data TABLES
      --methods 'UVCAN(history)'
    Duration and expected metric: results/<data>/settings/uvcan-history.json.
    """
    return Config(
        training=TrainingConfig(learning_rate=0.002, negatives=8),
        history=HistorySettings(user_ids=False, dropout=0.5),
    )

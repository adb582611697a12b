"""Settings of UVCAN that have a name.

Run either alone by `python -m uvcan_tf experiment table3 --data TABLES --methods ...`
with the name that the function gives.
"""

from __future__ import annotations

import dataclasses

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
    """UVCAN with a history, beside a matrix factorisation that knows what was shown.

    The network is that of `history`. iALS is fitted apart, and the rating is the sum of
    both; pairs that chose nothing else say how much each counts. Whoever has no pair
    yet has the factors that the attributes tell, or the likes of the request. Skipped
    impressions rank last, and are not recommended.

    Command: python -m uvcan_tf experiment table3 --data TABLES --methods UVCAN(best)
      In a pipeline: --config configs/best.json.
    Duration and expected metric: results/<data>/settings/uvcan-best.json.
    """
    return dataclasses.replace(
        history(),
        recommendation=RecommendationConfig(without_skipped_impressions=True),
        prior=IALSSettings(factors=128, impression_weight=0.5, attribute_ridge=3.0),
    )


def history() -> Config:
    """UVCAN over the product of what a user liked with the video.

    The product learns as it does alone, and the co-attention, with the likes as one
    more facet, what it leaves open. A user is likes and attributes, without an id of
    their own, so that a new person is rated as well by the likes of a request. Four of
    five users of a step have no likes for the network, and the learning rate is low:
    faster, the product ends training before the network knows what attributes tell.

    Command: python -m uvcan_tf experiment table3 --data TABLES
      --methods 'UVCAN(history)'
    Duration and expected metric: results/<data>/settings/uvcan-history.json.
    """
    return Config(
        training=TrainingConfig(
            learning_rate=0.002, average_decay=0.7, batch_size=256, negatives=8
        ),
        history=HistorySettings(user_ids=False, dropout=0.8),
    )

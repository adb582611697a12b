"""The methods of the tables, in their order."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Final

from uvcan_tf import presets
from uvcan_tf import search_spaces as spaces
from uvcan_tf.baselines.content import (
    AttributePopularity,
    AttributePopularitySettings,
    ContentProfile,
)
from uvcan_tf.baselines.ease import EASE, EASESettings
from uvcan_tf.baselines.factorisation import ALS, BPR, ALSSettings, BPRSettings
from uvcan_tf.baselines.history_product import (
    HistoryProductSettings,
    fit_history_product,
)
from uvcan_tf.baselines.hybrid import Hybrid
from uvcan_tf.baselines.neighbours import UCF, ItemKNN, NeighbourSettings
from uvcan_tf.baselines.neumf import NeuMF
from uvcan_tf.baselines.neural import NeuralConfig
from uvcan_tf.baselines.popularity import ItemPop
from uvcan_tf.baselines.wide_and_deep import WideAndDeep, WideAndDeepSettings
from uvcan_tf.config import Config, IALSSettings
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.scorers import Scorer
from uvcan_tf.experiments.method import Classical, Method, Neural
from uvcan_tf.factorization.ials import IALS
from uvcan_tf.features import Features
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.search_spaces import Values


def _item_pop(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return ItemPop(dataset)


def _ucf(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return UCF(dataset, NeighbourSettings(**values))


def _item_knn(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return ItemKNN(dataset, NeighbourSettings(**values))


def _ease(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return EASE(dataset, EASESettings(**values))


def _ease_impressions(dataset: Dataset, values: Values, seed: int) -> Scorer:
    settings = EASESettings(**{"impression_weight": 0.5, **values})
    return EASE(dataset, settings)


def _bpr(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return BPR(dataset, BPRSettings(**values, seed=seed))


def _als(dataset: Dataset, values: Values, seed: int) -> Scorer:
    threads = os.cpu_count() or 1  # users are solved for apart: no run differs
    return ALS(dataset, ALSSettings(**values, seed=seed, threads=threads))


def _ials(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return IALS(dataset, IALSSettings(**values, seed=seed))


def _history_product(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return fit_history_product(dataset, HistoryProductSettings(**values, seed=seed))


def _ials_impressions(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return _prior_of_best(dataset, {"attribute_ridge": 0.0, **values}, seed)


def _prior_of_best(dataset: Dataset, values: Values, seed: int) -> Scorer:
    prior = presets.best().prior or IALSSettings()
    settings = dataclasses.replace(prior, **values, seed=seed)
    return IALS(dataset, settings)


def _ncf(dataset: Dataset, config: NeuralConfig) -> NeuMF:
    return NeuMF(dataset, config.training, config.model)


def _wide_and_deep(dataset: Dataset, config: Any) -> WideAndDeep:
    return WideAndDeep(dataset, config.training, config.model)


def _attribute_popularity(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return AttributePopularity(dataset, AttributePopularitySettings(**values))


def _content_profile(dataset: Dataset, values: Values, seed: int) -> Scorer:
    return ContentProfile(dataset)


def _hybrid(dataset: Dataset, config: NeuralConfig) -> Hybrid:
    return Hybrid(dataset, config.training, config.model)


def _video_att() -> Config:
    paper = presets.paper()
    model = dataclasses.replace(paper.model, video_attention_only=True)
    return dataclasses.replace(paper, model=model)


ITEM_POP: Final = Classical("ItemPop", {}, _item_pop, random=False)
PAPER: Final = Neural("UVCAN(paper)", spaces.NEURAL, UVCAN, config=presets.paper())
HISTORY_PRODUCT: Final = Classical(
    "History product", spaces.HISTORY_PRODUCT, _history_product
)
HISTORY: Final = Neural(
    "UVCAN(history)",
    spaces.OVER_PRODUCT,
    UVCAN,
    config=presets.history(),
    over=(HISTORY_PRODUCT,),
    # Not the learning rate and the epochs: those of a network are its own.
    part={"factors": "history.factors", "l2": "history.l2"},
)
IALS_IMPRESSIONS: Final = Classical(
    "iALS+impressions",
    spaces.IALS_IMPRESSIONS,
    _ials_impressions,
    knows_impressions=True,
)
IALS_ATTRIBUTES: Final = Classical(
    "iALS+attributes",
    spaces.ATTRIBUTES,
    _prior_of_best,
    knows_impressions=True,
    over=(IALS_IMPRESSIONS,),
)

#: Both parts as they are chosen apart; validation weighs them in every fit.
BEST: Final = Neural(
    "UVCAN(best)",
    {},
    UVCAN,
    knows_impressions=True,
    config=presets.best(),
    over=(HISTORY, IALS_ATTRIBUTES),
    part={
        **{name: name for name in spaces.HISTORY},
        **{f.name: f"prior.{f.name}" for f in dataclasses.fields(IALSSettings)},
    },
)

#: The rows of Table 3.
TABLE3: Final[tuple[Method, ...]] = (
    ITEM_POP,
    Classical("UCF", spaces.NEIGHBOURS, _ucf, random=False),
    Classical("ItemKNN", spaces.NEIGHBOURS, _item_knn, random=False),
    Classical("EASE", spaces.EASE, _ease, random=False),
    Classical("BPR", spaces.BPR, _bpr),
    Classical("WMF", spaces.WMF, _als),
    Classical("iALS", spaces.IALS, _ials),
    HISTORY_PRODUCT,
    Neural("NCF", spaces.NEURAL, _ncf, config=NeuralConfig()),
    Neural(
        "Wide&Deep",
        spaces.NEURAL,
        _wide_and_deep,
        config=NeuralConfig(model=WideAndDeepSettings()),
    ),
    Neural("Video-Att", spaces.NEURAL, UVCAN, config=_video_att()),
    PAPER,
    HISTORY,
    # These know what `best` knows: impressions and attributes. `best` is the last of
    # them and `history` together.
    Classical(
        "EASE+impressions",
        spaces.EASE_IMPRESSIONS,
        _ease_impressions,
        random=False,
        knows_impressions=True,
    ),
    IALS_IMPRESSIONS,
    IALS_ATTRIBUTES,
    BEST,
)


#: The methods that rate people whom they never saw by the likes that these give.
OF_LIKES: Final = tuple(
    method
    for method in TABLE3
    if method.name
    in ("ItemPop", "EASE", "iALS", "History product", HISTORY.name, BEST.name)
)


def cold_methods(features: Features) -> tuple[Method, ...]:
    """The methods that can score users or videos without any like, UVCAN last."""
    space = spaces.attribute_popularity(features)
    wide = next(method for method in TABLE3 if method.name == "Wide&Deep")
    # Without attributes nothing is known of the cold, so the whole is searched at once.
    prior = dataclasses.replace(
        IALS_ATTRIBUTES,
        space={**spaces.IALS_IMPRESSIONS, **spaces.ATTRIBUTES},
        over=(),
    )
    history = dataclasses.replace(HISTORY, space=spaces.HISTORY, over=())
    best = dataclasses.replace(BEST, over=(history, prior))
    return (
        ITEM_POP,
        Classical("Attribute popularity", space, _attribute_popularity, random=False),
        Classical("Content profile", {}, _content_profile, random=False),
        Neural("Hybrid", spaces.NEURAL, _hybrid, config=NeuralConfig()),
        wide,
        prior,
        PAPER,
        history,
        best,
    )

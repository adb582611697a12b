"""What each ingredient of a preset is worth: one at a time is taken away."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from uvcan_tf.experiments import results
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.choice import without_attributes
from uvcan_tf.experiments.method import Neural
from uvcan_tf.experiments.methods import (
    BEST,
    HISTORY,
    HISTORY_PRODUCT,
    IALS_ATTRIBUTES,
)
from uvcan_tf.experiments.results import METRIC_NAMES, TITLES
from uvcan_tf.experiments.runs import Job, rows_of, tune
from uvcan_tf.experiments.setting import PROTOCOLS, Setting
from uvcan_tf.search_spaces import Values

WHOLE: Final = "all of `best`"
#: Settings of `best` that are changed, one thing a row, by what that takes away.
WITHOUT: Final[Mapping[str, Values]] = {
    WHOLE: {},
    "no impressions in the prior": {"prior.impression_weight": 0.0},
    "no attributes in the prior": {
        "prior.attribute_ridge": 0.0,
        "prior.attribute_pull": 0.0,
    },
}
PRIOR_ALONE: Final = "no network: the prior alone"
NO_PRIOR: Final = "no prior: the network alone"
NO_HISTORY: Final = "no history: the prior, and a network without likes"
AS_SCORED: Final = "skipped impressions not last"

WHOLE_HISTORY: Final = "all of `history`"
#: The same of `history`.
WITHOUT_HISTORY: Final[Mapping[str, Values]] = {
    WHOLE_HISTORY: {},
    "likes are no facet": {"history.facet": False},
    "no product": {"history.product": False},
    "no video bias": {"history.bias": False},
    "no dropout of the history": {"history.dropout": 0.0},
    "each pair on its own, no shared candidates": {"history.shared_softmax": False},
    "weights not averaged": {"training.average_decay": 0.0},
    "user ids count, too": {"history.user_ids": True},
    "no id dropout": {"model.id_dropout": 0.0},
    "one hop": {"model.hops": 1},
    "no user attention (Video-Att)": {"model.video_attention_only": True},
}
PRODUCT_ALONE: Final = "no network: the product alone"
NO_ATTRIBUTES: Final = "no attributes"
NETWORK_ALONE: Final = "no history: the network alone"


def run(cells: Cells, setting: Setting, method: Neural, seeds: Sequence[int]) -> Path:
    """Measures every variant with the settings of Table 3.

    Each is trained until validation says stop; "no prior" still ranks skipped
    impressions last. Where that is decided for all methods, no row changes it.
    """
    of_history = method.name == HISTORY.name
    name = "ablation-history" if of_history else "ablation"
    settings = tune(cells, setting, [HISTORY_PRODUCT, method])
    chosen, of_product = settings[method.name], settings[HISTORY_PRODUCT.name]
    jobs = variants_of_history(chosen, of_product) if of_history else variants(chosen)
    if cells.evaluation.skipped_impressions_last is not None:
        jobs = [job for job in jobs if job[2]["variant"] != AS_SCORED]
    frame = rows_of(cells, setting, jobs, seeds).drop(columns="method")
    results.write_csv(cells.results / f"{name}.csv", frame)
    text = [f"{cells.name}: mean over {len(seeds)} seed(s).\n", _table(frame)]
    path = cells.results / f"{name}.md"
    path.write_text("\n".join(text), encoding="utf-8")
    return path


def variants_of_history(settings: Values, of_product: Values) -> list[Job]:
    """Every variant of `history` with the settings that were chosen for it.

    of_product: what was chosen for the product alone.
    """
    of_network = {k: v for k, v in settings.items() if not k.startswith("history.")}
    without = dataclasses.replace(
        HISTORY, config=dataclasses.replace(HISTORY.config, history=None)
    )
    return [
        *(
            (HISTORY, {**settings, **less}, {"variant": variant})
            for variant, less in WITHOUT_HISTORY.items()
        ),
        (without_attributes(HISTORY), settings, {"variant": NO_ATTRIBUTES}),
        (HISTORY_PRODUCT, of_product, {"variant": PRODUCT_ALONE}),
        (without, of_network, {"variant": NETWORK_ALONE}),
    ]


def variants(settings: Values) -> list[Job]:
    """Every variant of `best` with the settings that were chosen for it."""
    of_prior = dataclasses.asdict(BEST.config.prior)
    of_prior |= {
        name.removeprefix("prior."): value
        for name, value in settings.items()
        if name.startswith("prior.")
    }
    del of_prior["seed"]
    without, no_history = (
        (
            dataclasses.replace(
                BEST, config=dataclasses.replace(BEST.config, **{section: None})
            ),
            {k: v for k, v in settings.items() if not k.startswith(f"{section}.")},
        )
        for section in ("prior", "history")
    )
    as_scored = dataclasses.replace(BEST, knows_impressions=False)
    return [
        *((BEST, {**settings, **less}, {"variant": v}) for v, less in WITHOUT.items()),
        (IALS_ATTRIBUTES, of_prior, {"variant": PRIOR_ALONE}),
        (*without, {"variant": NO_PRIOR}),
        (*no_history, {"variant": NO_HISTORY}),
        (as_scored, settings, {"variant": AS_SCORED}),
    ]


def _table(frame: pd.DataFrame) -> str:
    means = frame.pivot_table(
        "value", "variant", ["protocol", "metric"], sort=False, observed=True
    )
    columns = [(protocol, name) for protocol in PROTOCOLS for name in METRIC_NAMES]
    header = [
        "",
        *(f"{METRIC_NAMES[name]}@10, {TITLES[p].lower()}" for p, name in columns),
    ]
    rows = [
        [str(variant), *(f"{line[column]:.4f}" for column in columns)]
        for variant, line in means.iterrows()
    ]
    return results.markdown(header, rows)

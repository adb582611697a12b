"""Results by how much is known: training likes of the user, and of the video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.experiments import plots, results
from uvcan_tf.experiments.cells import Cells
from uvcan_tf.experiments.choice import subject
from uvcan_tf.experiments.method import Method
from uvcan_tf.experiments.results import TITLES, ByMethod
from uvcan_tf.experiments.runs import measure, tune
from uvcan_tf.experiments.setting import PROTOCOLS, Setting

#: The least training likes of each slice.
FROM: Final = {"0": 0, "1-4": 1, "5-19": 5, "20-99": 20, "100+": 100}


def slices(dataset: Dataset, pairs: Pairs) -> dict[str, npt.NDArray[np.str_]]:
    """The slice of each pair [P], by the likes of its user and of its video."""
    labels = np.array(list(FROM))
    least = np.array(list(FROM.values()))
    train = dataset.train

    def of(
        trained: npt.NDArray[np.int32], rows: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.str_]:
        counts = np.bincount(trained, minlength=int(rows.max()) + 1)[rows]
        return labels[np.searchsorted(least, counts, side="right") - 1]

    return {"user": of(train.user, pairs.user), "video": of(train.video, pairs.video)}


def frame_of(
    by_method: ByMethod, by_side: Mapping[str, npt.NDArray[np.str_]]
) -> pd.DataFrame:
    """Figures of every slice that has pairs, and how many."""
    rows = []
    for side, labels in by_side.items():
        for likes in FROM:
            where = labels == likes
            if not where.any():
                continue
            for method, by_seed in by_method.items():
                for seed, cell in by_seed.items():
                    rows += results.figures(
                        cell.ranks,
                        (10,),
                        where,
                        method=method,
                        side=side,
                        likes=likes,
                        pairs=int(where.sum()),
                        seed=seed,
                    )
    return pd.DataFrame(rows)


def run(
    cells: Cells, setting: Setting, methods: Sequence[Method], seeds: Sequence[int]
) -> None:
    """Writes the slices of Table 3's cells as CSV, Markdown and plots."""
    chosen = tune(cells, setting, methods)
    by_method = measure(cells, setting, chosen, methods, seeds)
    pairs = next(iter(by_method[methods[0].name].values())).ranks.pairs
    frame = frame_of(by_method, slices(setting.whole.dataset, pairs))
    results.write_csv(cells.results / "slices.csv", frame)
    own = subject(tuple(methods))
    text = []
    for side in dict.fromkeys(frame.side):
        part = frame[frame.side == side]
        place = cells.results / f"slices-{side}.png"
        label = f"training likes of the {side}"
        plots.lines(part, place, "likes", label, own.name if own else None)
        for protocol in PROTOCOLS:
            text += [f"### NDCG@10 by {label}. {TITLES[protocol]}\n"]
            text += [_table(part[part.protocol == protocol])]
    (cells.results / "slices.md").write_text("\n".join(text), encoding="utf-8")


def _table(part: pd.DataFrame) -> str:
    ndcg = part[part.metric == "ndcg"]
    pairs = dict(zip(ndcg.likes, ndcg.pairs, strict=True))
    header = ["method", *(f"{likes} ({n:,} pairs)" for likes, n in pairs.items())]
    means = results.mean_and_spread(ndcg, ("method", "likes"))
    means = means.set_index(["method", "likes"])["mean"]
    rows = [
        [method, *(f"{means[(method, likes)]:.4f}" for likes in pairs)]
        for method in dict.fromkeys(ndcg.method)
    ]
    return results.markdown(header, rows)

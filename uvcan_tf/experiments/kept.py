"""The files in which chosen settings are kept, with what they are expected to give."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from uvcan_tf.experiments.cells import Cells, Measured
from uvcan_tf.experiments.method import Method, Neural
from uvcan_tf.experiments.setting import Setting
from uvcan_tf.search import Best
from uvcan_tf.search_spaces import Values, draws
from uvcan_tf.training.fit import MONITOR

#: What a search of a neural method may spend besides its trials.
_LIMITS: Final = ("epochs", "trial_seconds", "batch_size")


class KeptSettings:
    """The file of one method's settings in one setting.

    Args:
      cells: say where it lies, and what a search may spend.
      setting: of the evaluation.
      method: whose settings they are.
    """

    def __init__(self, cells: Cells, setting: Setting, method: Method) -> None:
        kind = "" if setting.name == "table3" else f"{setting.name}-"
        self.path: Final[Path] = (
            cells.results / "settings" / f"{kind}{method.slug}.json"
        )
        self._command, self._method = cells.command, method
        points = draws(method.space, cells.trials, method.name)
        self._trials = len(points) if method.space else 0
        names = ("validation_users", *(_LIMITS if isinstance(method, Neural) else ()))
        self._budget = {name: getattr(cells, name) for name in names}

    def read(self) -> Values | None:
        """The settings that an earlier search has chosen, if it was as thorough.

        One that could spend more is; batches must be of the same size. A file that does
        not say what its search could spend is taken as it is.
        """
        if not self.path.exists():
            return None
        content = self._content()
        spent = {"trials": content["trials"], **content.get("budget", self._budget)}
        asked = {"trials": self._trials, **self._budget}
        size = "batch_size"
        if spent.get(size) != asked.get(size):
            return None
        if any(spent.get(name, 0) < least for name, least in asked.items()):
            return None
        return self._method.kept(content["settings"])

    def write(self, values: Values, best: Best | None = None) -> None:
        """Keeps what a search has chosen, so that anyone fits the method with it.

        Args:
          values: what was chosen.
          best: its trial; None where there was nothing to search.
        """
        measured = best and {
            MONITOR: round(best.metrics[MONITOR], 6),
            "search_seconds_of_the_best": round(best.metrics["seconds"], 1),
        }
        self._write(
            {
                "method": self._method.name,
                "settings": dict(values),
                "trials": self._trials,
                "budget": self._budget,
                **(measured or {}),
                "command": self._command,
            }
        )

    def expect(self, measured: Sequence[Measured]) -> None:
        """Adds what the command should give: the mean figures and the time of a fit."""
        summaries = [cell.ranks.summary((10,)) for cell in measured]
        expected = {
            protocol: {
                name: round(statistics.fmean(s[protocol][name] for s in summaries), 4)
                for name in ("hr@10", "ndcg@10")
            }
            for protocol in summaries[0]
        }
        found = {
            "expected": expected,
            "command": self._command,
            "seeds": len(measured),
            "fit_seconds": _seconds(cell.fit_seconds for cell in measured),
            "rank_seconds": _seconds(cell.rank_seconds for cell in measured),
        }
        self._write({**self._content(), **found})

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return content

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2) + "\n"
        self.path.write_text(text, encoding="utf-8")


def _seconds(times: Iterable[float]) -> float:
    return round(statistics.fmean(times), 1)

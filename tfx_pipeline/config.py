"""What one pipeline run needs to know: frozen, validated, without TFX."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from uvcan_tf import features as names
from uvcan_tf.config import Config, ConfigError, RecommendationConfig
from uvcan_tf.data.days import Range
from uvcan_tf.data.files import find_table
from uvcan_tf.evaluation_settings import RANDOM
from uvcan_tf.features import Features
from uvcan_tf.visual import pca

#: The cutoff of the metrics that bless a model.
BLESSING_CUTOFF = 10

#: Beam in this process, one worker. The plain `DirectRunner` first downloads and tries
#: a Go binary, and its `multi_processing` mode is reported to lose rows. A named
#: container image, which no local worker uses, keeps TFX from packing itself into an
#: archive before every component.
LOCAL_BEAM = (
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    "--sdk_container_image=none",
)

#: Keys of the settings that components carry; all values are JSON, or a folder.
FEATURES_KEY = "features"
CONFIG_KEY = "config"
CHECKPOINTS_KEY = "checkpoints"
DAYS_KEY = "days"
PCAS_KEY = "pcas"

#: The folder under a root where models are pushed, one folder a model's name.
SERVING = "serving"
#: The name of the model, if no other is given.
MODEL_NAME = "uvcan"

#: The folder under a root where training can be taken up again.
CHECKPOINTS = "checkpoints"
#: A file in a folder of checkpoints: the id of the execution that exported the model.
EXPORTED_BY = "exported_by.txt"

_PATTERN = "*?[]"

#: What happens where the tables changed more than they may since the last run, or
#: where requests tell other things than the tables.
STOP, WARN = "stop", "warn"
REACTIONS = (STOP, WARN)

#: What HR@10 should reach by default; noise gives that of chance, more or less.
_LEAST, _ABOVE_CHANCE = 0.05, 1.2

#: How many points of the search space are tried.
TRIALS = 12


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """One run over the tables in `data`, with everything it writes under `root`.

    Args:
      data: the folder (or the address) of the three tables.
      root: the folder (or the address) of artifacts, metadata and pushed models.
      features: the declaration of the tables' columns.
      config: hyper-parameters of model, training and evaluation.
      min_hit_rate: HR@10 below which no model is blessed; None is 0.05, or a fifth
        above chance where that is more.
      tolerance: by how much HR@10 may fall below the last blessed model's.
      days: which days of the interactions; see `uvcan_tf.data.days.Range`.
      warm_start: begin training with the last blessed model of other examples.
      drift: whether tables that changed too much `stop` a run, or `warn`.
      requests: a folder whose table `users` has a row for each request, as far as it
        tells of its user; empty where none is compared.
      requests_digest: of the files in it.
      skew: whether requests that differ from the tables `stop` a run, or `warn`.
      tune: search the paper's grid before training.
      check_serving: load the model in a model server before pushing (needs Docker).
      bulk_infer: score the eval split with the blessed model at the end.
      beam_args: of the Beam runner; empty means one process on this machine.
      pcas: a feature, the file of the PCA that made it, and the file's digest, each.
    """

    data: str
    root: str
    features: Features = names.PAPER
    config: Config = Config()
    min_hit_rate: float | None = None
    tolerance: float = 0.01
    days: str = ""
    warm_start: bool = False
    drift: str = STOP
    requests: str = ""
    requests_digest: str = ""
    skew: str = STOP
    tune: bool = False
    check_serving: bool = False
    bulk_infer: bool = False
    beam_args: tuple[str, ...] = ()
    pcas: tuple[tuple[str, str, str], ...] = ()
    name: str = MODEL_NAME

    def __post_init__(self) -> None:
        Range(self.days)  # raises where it is none
        if BLESSING_CUTOFF not in self.config.evaluation.cutoffs:
            raise ConfigError(
                f"`evaluation.cutoffs` should contain {BLESSING_CUTOFF}, by which "
                f"models are blessed. Received: {self.config.evaluation.cutoffs}."
            )
        if self.warm_start and self.config.evaluation.split == RANDOM:
            raise ConfigError(
                "`evaluation.split` should be time or last with a warm start, because "
                "at random the last model may have learned what is held out now. "
                "Received: split='random'; set it in --config, or leave out "
                "--warm-start."
            )
        patterns = sorted(set(self.root) & set(_PATTERN))
        if patterns:
            raise ConfigError(
                f"`root` should be a path without {' '.join(_PATTERN)}, which TFX and "
                f"Beam read as a pattern. Received: root={self.root!r}. Name another "
                "folder."
            )
        for field in ("drift", "skew"):
            if getattr(self, field) not in REACTIONS:
                raise ConfigError(
                    f"`{field}` should be one of {', '.join(REACTIONS)}. "
                    f"Received: {field}={getattr(self, field)!r}."
                )
        for field in ("min_hit_rate", "tolerance"):
            value = getattr(self, field)
            if value is not None and not 0 <= value <= 1:
                raise ConfigError(
                    f"`{field}` should be a number from 0 to 1. "
                    f"Received: {field}={value!r}."
                )

    @property
    def hit_rate_to_reach(self) -> float:
        """HR@10 below which no model is blessed."""
        if self.min_hit_rate is not None:
            return self.min_hit_rate
        ranked = self.config.evaluation.sampled_negatives + 1
        return min(1.0, max(_LEAST, _ABOVE_CHANCE * BLESSING_CUTOFF / ranked))

    @property
    def serving(self) -> str:
        """Where models are pushed: the base path of a model server."""
        return f"{self.root}/{SERVING}/{self.name}"

    @property
    def accepted(self) -> str:
        """Where the statistics of the tables that were let through last are kept."""
        return f"{self.root}/accepted"

    @property
    def beam_pipeline_args(self) -> tuple[str, ...]:
        """Arguments of every Beam pipeline."""
        return self.beam_args or LOCAL_BEAM

    def data_config(self) -> dict[str, str]:
        """What ExampleGen depends on: other settings leave its cache alone."""
        remembers = self.config.recommendation.remembers_likes
        read = Config(
            evaluation=self.config.evaluation,
            recommendation=RecommendationConfig(remembers_likes=remembers),
        )
        days = {DAYS_KEY: self.days} if self.days else {}
        return {**self.transform_config(), CONFIG_KEY: _json(read.to_json()), **days}

    def transform_config(self) -> dict[str, str]:
        """What Transform depends on."""
        return {FEATURES_KEY: _json(self.features.to_json())}

    def training_config(self) -> dict[str, str]:
        """What Tuner and Trainer depend on."""
        content = {
            FEATURES_KEY: _json(self.features.to_json()),
            CONFIG_KEY: _json(self.config.to_json()),
            CHECKPOINTS_KEY: f"{self.root}/{CHECKPOINTS}",
        }
        if self.pcas:
            content[PCAS_KEY] = json.dumps(self.pcas)
        return content


def local(
    data: Path,
    root: Path,
    config: Config,
    requests: Path | None = None,
    **settings: Any,
) -> PipelineConfig:
    """A run on this machine, with the declaration that lies beside the tables."""
    features = names.of_folder(data)
    if requests is not None:
        settings["requests"] = str(requests.resolve())
        settings["requests_digest"] = _digest(find_table(requests, names.USERS))
    return PipelineConfig(
        data=str(data.resolve()),
        root=str(root.resolve()),
        features=features,
        config=config,
        pcas=tuple(
            (name, str(path), hashlib.sha256(path.read_bytes()).hexdigest())
            for name, path in pca.beside(data.resolve(), features).items()
        ),
        **settings,
    )


def _digest(table: Path) -> str:
    """Of the bytes of a table's files."""
    files = [path for path in (table, *sorted(table.rglob("*"))) if path.is_file()]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)

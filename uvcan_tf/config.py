"""Every hyper-parameter, once: frozen, validated, with defaults that run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from uvcan_tf.errors import ConfigError
from uvcan_tf.evaluation_settings import EvaluationConfig, RecommendationConfig
from uvcan_tf.history_settings import HistorySettings
from uvcan_tf.ials_settings import IALSSettings
from uvcan_tf.json_files import read_json
from uvcan_tf.training_settings import (
    DISTRIBUTIONS,
    MIRRORED,
    MULTI_WORKER,
    TrainingConfig,
)
from uvcan_tf.validators import (
    require_boolean,
    require_count,
    require_counts,
    require_number,
)

__all__ = [
    "DISTRIBUTIONS",
    "MIRRORED",
    "MULTI_WORKER",
    "Config",
    "ConfigError",
    "EvaluationConfig",
    "HistorySettings",
    "IALSSettings",
    "ModelConfig",
    "RecommendationConfig",
    "TrainingConfig",
    "from_json",
    "load",
    "tower_widths",
]


def tower_widths(factors: int) -> tuple[int, ...]:
    """The hidden layers where none are named: 2K, K and K/2.

    >>> tower_widths(32)
    (64, 32, 16)
    """
    return 2 * factors, factors, max(factors // 2, 1)


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The network of sections 3.2 to 4.4.

    Args:
      factors: K, the width of every embedding (the paper: 16, 32 or 64).
      hops: M, the number of stacked attention layers of either attention (1 to 4).
      hidden: widths of the MLP's hidden layers. The paper says three and gives no
        widths; empty means 2K, K and K/2, the tower of NCF.
      video_attention_only: the paper's Video-Att: no video-guided user attention.
      initial_stddev: standard deviation of the N(0, s) initial weights.
      id_dropout: share of ids that training replaces with the unknown id, so that
        the unknown id's row learns to stand for anyone. Unlike the paper.
    """

    factors: int = 32
    hops: int = 2
    hidden: tuple[int, ...] = ()
    video_attention_only: bool = False
    initial_stddev: float = 0.1
    id_dropout: float = 0.02

    def __post_init__(self) -> None:
        require_count("model.factors", self.factors)
        require_count("model.hops", self.hops)
        require_counts("model.hidden", self.hidden)
        require_boolean("model.video_attention_only", self.video_attention_only)
        require_number("model.initial_stddev", self.initial_stddev, 0, 10)
        require_number("model.id_dropout", self.id_dropout, 0, 1)

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers, the default one spelled out."""
        return self.hidden or tower_widths(self.factors)


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of one run.

    With `history`, a user is also the videos that they liked; with `prior`, the rating
    of a matrix factorisation is added. With neither, UVCAN is the paper's.

    >>> Config().model.factors
    32
    """

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    recommendation: RecommendationConfig = RecommendationConfig()
    prior: IALSSettings | None = None
    history: HistorySettings | None = None

    def __post_init__(self) -> None:
        product = self.prior or (self.history and self.history.product)
        self.recommendation.check_beside(self.evaluation, bool(product))

    @property
    def ranks_skipped_impressions_last(self) -> bool:
        """Whether skipped impressions come last; see `SkippedImpressionsLast`."""
        learned = self.prior is not None and self.prior.impression_weight > 0
        known = learned and self.recommendation.remembers_likes
        return self.evaluation.ranks_skipped_impressions_last(known)

    @property
    def recommends_without_skipped_impressions(self) -> bool:
        """Whether `recommend` leaves skipped impressions out."""
        chosen = self.recommendation.without_skipped_impressions
        return self.ranks_skipped_impressions_last if chosen is None else chosen

    def spelled_out(self) -> Config:
        """The same with nothing left to be decided by default."""
        last = self.ranks_skipped_impressions_last
        out = self.recommends_without_skipped_impressions
        replace = dataclasses.replace
        evaluation = replace(self.evaluation, skipped_impressions_last=last)
        recommendation = replace(self.recommendation, without_skipped_impressions=out)
        return replace(self, evaluation=evaluation, recommendation=recommendation)

    def to_json(self) -> dict[str, Any]:
        """The settings as the content of a `config.json`."""
        return dataclasses.asdict(self)


_T = TypeVar("_T")


def _object(where: str, content: Any) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where} should be an object. Received: {content!r}.")
    return content


def _section(kind: type[_T], name: str, content: Any) -> _T:
    values = _object(f"`{name}`", content)
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = set(values) - known
    if unknown:
        raise ConfigError(
            f"`{name}` has no setting {', '.join(sorted(unknown))}. "
            f"Known: {', '.join(sorted(known))}."
        )
    lists_as_tuples = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
    }
    return kind(**lists_as_tuples)


def from_json(content: Mapping[str, Any]) -> Config:
    """Builds settings from a `config.json`'s content; absent ones keep defaults."""
    sections = {
        "model": ModelConfig,
        "training": TrainingConfig,
        "evaluation": EvaluationConfig,
        "recommendation": RecommendationConfig,
        "prior": IALSSettings,
        "history": HistorySettings,
    }
    unknown = set(_object("A config", content)) - set(sections)
    if unknown:
        raise ConfigError(
            f"A config has no section {', '.join(sorted(unknown))}. "
            f"Known: {', '.join(sections)}."
        )
    given: dict[str, Any] = {
        name: _section(kind, name, content.get(name, {}))
        for name, kind in sections.items()
        if name not in ("prior", "history") or content.get(name) is not None
    }
    return Config(**given)


def load(path: Path) -> Config:
    """Reads a `config.json`; its sentence names the file, the setting and the cure."""
    content = read_json(path, ConfigError)
    try:
        return from_json(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None

"""Every hyper-parameter, once: frozen, validated, with defaults that run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it and what was expected."""


def _positive_int(owner: str, name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(
            f"`{owner}.{name}` should be a positive int. Received: {name}={value!r}."
        )


def _number_in(owner: str, name: str, value: object, low: float, high: float) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        raise ConfigError(
            f"`{owner}.{name}` should be a number from {low:g} to {high:g}. "
            f"Received: {name}={value!r}."
        )


def _boolean(owner: str, name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(
            f"`{owner}.{name}` should be true or false. Received: {name}={value!r}."
        )


def _positive_ints(owner: str, name: str, values: object) -> None:
    if not isinstance(values, tuple):
        raise ConfigError(
            f"`{owner}.{name}` should be a list of positive ints. "
            f"Received: {name}={values!r}."
        )
    for value in values:
        _positive_int(owner, name, value)


def _seed(owner: str, value: object) -> None:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if not is_int or not 0 <= value < 2**31:  # type: ignore[operator]
        raise ConfigError(
            f"`{owner}.seed` should be an int from 0 to {2**31 - 1}. "
            f"Received: seed={value!r}."
        )


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
      hops: M, the number of stacked attention layers on either side (1 to 4).
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
        _positive_int("model", "factors", self.factors)
        _positive_int("model", "hops", self.hops)
        _positive_ints("model", "hidden", self.hidden)
        _boolean("model", "video_attention_only", self.video_attention_only)
        _number_in("model", "initial_stddev", self.initial_stddev, 0, 10)
        _number_in("model", "id_dropout", self.id_dropout, 0, 1)

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers, the default one spelled out."""
        return self.hidden or tower_widths(self.factors)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the network is fitted (sections 4.4 and 5.4).

    Args:
      learning_rate: of Adam (the paper's grid: 1e-4, 1e-3, 1e-2, 1e-1).
      batch_size: observed pairs a step; each brings `negatives` unobserved ones.
      negatives: unobserved pairs drawn for each observed one (the paper: 4).
      popular_negatives: share of the negatives drawn by popularity, with a correction.
        Unlike the paper, as is `softmax`; see `sampling.MixedSampler`.
      softmax: whether the loss asks which of a pair's videos was the observed one; see
        `losses.errors`.
      l2: weight of the squared weights (the paper's grid: 0, 1e-3, 1e-2, 1e-1).
      epochs: passes over the observed pairs, at most.
      patience: epochs without a better validation NDCG@10 before stopping.
      time_limit_s: no epoch starts after so many seconds of training.
      validation_fraction: share of each user's training pairs kept for validation.
      validation_users: at most so many users are scored at each validation.
      seed: of the initial weights, the order of pairs, negatives and id dropout.
    """

    learning_rate: float = 0.001
    batch_size: int = 2048
    negatives: int = 4
    popular_negatives: float = 0.0
    softmax: bool = False
    l2: float = 0.0
    epochs: int = 30
    patience: int = 3
    time_limit_s: float = 86_400.0
    validation_fraction: float = 0.1
    validation_users: int = 500
    seed: int = 1

    def __post_init__(self) -> None:
        counts = ("batch_size", "negatives", "epochs", "patience", "validation_users")
        for name in counts:
            _positive_int("training", name, getattr(self, name))
        _number_in("training", "learning_rate", self.learning_rate, 1e-8, 10)
        _number_in("training", "popular_negatives", self.popular_negatives, 0, 1)
        _boolean("training", "softmax", self.softmax)
        _number_in("training", "l2", self.l2, 0, 1e3)
        _number_in("training", "time_limit_s", self.time_limit_s, 1, 1e9)
        _number_in("training", "validation_fraction", self.validation_fraction, 0, 0.5)
        _seed("training", self.seed)


@dataclasses.dataclass(frozen=True)
class IALSSettings:
    """How iALS is fitted; see `baselines.ials`.

    Args:
      factors: length of a user's and a video's vector.
      unobserved_weight: α₀, of every pair beside the observed ones' weight of 1.
      regularization: λ.
      frequency: ν; a row's λ is multiplied by (its pairs + α₀ of all others)^ν.
      iterations: times that users and videos are solved for in turn.
      shown_weight: of pairs that were shown and not liked. They count as observed: to
        have been shown something tells what a user is about. 0 leaves them out, as the
        article does.
      attribute_ridge: rows' worth of doubt in each value of an attribute, by which a
        row without pairs gets factors; see `attribute_means`. 0 leaves attributes out.
      attribute_pull: how far λ pulls every row to what its attributes tell instead of
        to 0: 1 is the regression-based model, 0 leaves rows with pairs alone.
      seed: of the initial factors.
    """

    factors: int = 64
    unobserved_weight: float = 0.03
    regularization: float = 0.01
    frequency: float = 1.0
    iterations: int = 12
    shown_weight: float = 0.0
    attribute_ridge: float = 0.0
    attribute_pull: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("factors", "iterations"):
            _positive_int("prior", name, getattr(self, name))
        for name in ("unobserved_weight", "regularization"):
            _number_in("prior", name, getattr(self, name), 1e-8, 1e3)
        for name in ("frequency", "shown_weight"):
            _number_in("prior", name, getattr(self, name), 0, 10)
        _number_in("prior", "attribute_ridge", self.attribute_ridge, 0, 1e6)
        _number_in("prior", "attribute_pull", self.attribute_pull, 0, 1)
        if self.attribute_pull and not self.attribute_ridge:
            raise ConfigError(
                "`prior.attribute_pull` should be 0 where `prior.attribute_ridge` is. "
                f"Received: attribute_pull={self.attribute_pull!r}."
            )
        _seed("prior", self.seed)


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """The protocol of section 5.2.

    Args:
      held_out_fraction: share of each user's videos that form the test set.
      sampled_negatives: unobserved videos that each held-out pair is ranked against.
      cutoffs: the k of HR@k and NDCG@k.
      seed: of the held-out pairs and the sampled videos.
    """

    held_out_fraction: float = 0.2
    sampled_negatives: int = 1000
    cutoffs: tuple[int, ...] = (10, 20, 30, 40, 50)
    seed: int = 1

    def __post_init__(self) -> None:
        _positive_int("evaluation", "sampled_negatives", self.sampled_negatives)
        _positive_ints("evaluation", "cutoffs", self.cutoffs)
        _number_in(
            "evaluation", "held_out_fraction", self.held_out_fraction, 0.001, 0.9
        )
        _seed("evaluation", self.seed)


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of one run.

    With `prior`, UVCAN learns what a matrix factorisation leaves open; without, the
    default, it is the paper's.

    >>> Config().model.factors
    32
    """

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    prior: IALSSettings | None = None

    @property
    def ranks_skipped_last(self) -> bool:
        """Whether what was shown and not liked comes last; see `prior.SkippedLast`."""
        return self.prior is not None and self.prior.shown_weight > 0

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
        "prior": IALSSettings,
    }
    unknown = set(_object("A config", content)) - set(sections)
    if unknown:
        raise ConfigError(
            f"A config has no section {', '.join(sorted(unknown))}. "
            f"Known: {', '.join(sections)}."
        )
    return Config(
        **{
            name: _section(kind, name, content.get(name, {}))
            for name, kind in sections.items()
            if name != "prior" or content.get(name) is not None
        }
    )


def load(path: Path) -> Config:
    """Reads a `config.json`; its sentence names the file, the setting and the cure."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return from_json(content)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} should be JSON; line {error.lineno}, column {error.colno}: "
            f"{error.msg}."
        ) from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None

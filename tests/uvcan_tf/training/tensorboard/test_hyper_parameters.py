"""The settings of a run as TensorBoard lists them."""

from __future__ import annotations

from uvcan_tf.config import Config, HistorySettings, IALSSettings
from uvcan_tf.training.tensorboard.hyper_parameters import values


def test_sections_that_are_switched_on_are_listed() -> None:
    whole = Config(prior=IALSSettings(), history=HistorySettings(factors=7))
    more = set(values(whole)) - set(values(Config()))
    assert {name.partition(".")[0] for name in more} == {"prior", "history"}
    assert values(whole)["history.factors"] == 7

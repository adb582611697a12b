"""Which methods a command measures."""

from __future__ import annotations

from uvcan_tf.experiments.choice import chosen, subject
from uvcan_tf.experiments.methods import TABLE3


def test_a_method_without_attributes_is_there_for_whoever_names_it() -> None:
    names = "UVCAN(history),UVCAN(history) without attributes,EASE"
    found = chosen(names, TABLE3)
    assert {method.name for method in found} == set(names.split(","))
    own = subject(found)
    assert own is not None and own.name == "UVCAN(history)"
    assert chosen(None, TABLE3) is TABLE3

"""Lookups by text files."""

from pathlib import Path

import tensorflow as tf

from uvcan_tf.saved_model.asset_lookup import AssetLookup


def found(values: list[str], asked: list[str], folder: Path) -> list[int]:
    lookup = AssetLookup({"place": values}, folder)
    return lookup("place", tf.constant(asked, tf.string)).numpy().tolist()


def test_names_are_their_positions_and_others_the_count(tmp_path: Path) -> None:
    values = ["north", "a b\tc", "Zürich", " x ", "日本"]
    assert found(values, [*values, "", "x", "south"], tmp_path) == [
        *range(5),
        *[5] * 3,
    ]
    assert (tmp_path / "place.txt").read_text().splitlines() == values


def test_an_empty_vocabulary_knows_nothing(tmp_path: Path) -> None:
    assert found([], ["", "x"], tmp_path) == [0, 0]


def test_a_line_break_hides_its_name_and_moves_no_other(tmp_path: Path) -> None:
    values = ["a\nb", "c", "d\re", "f"]
    assert found(values, values + ["a", "b", "de"], tmp_path) == [4, 1, 4, 3, 4, 4, 4]

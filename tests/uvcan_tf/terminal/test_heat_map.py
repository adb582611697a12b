"""What a person sees of a matrix of weights."""

from __future__ import annotations

import numpy as np
import pytest

from uvcan_tf.terminal.heat_map import picture


def corner(weight: float) -> tuple[int, ...]:
    """The colour of the only cell, away from its number."""
    drawn = picture([[weight]], ["hop 1"], ["tags"], "Mean")
    colour = drawn.getpixel((drawn.width - 16, drawn.height - 16))
    assert isinstance(colour, tuple)
    return colour


def test_a_larger_weight_is_darker() -> None:
    shades = [sum(corner(weight)) for weight in (0.0, 0.2, 0.45, 0.5, 0.8, 1.0)]
    assert shades == sorted(shades, reverse=True) and len(set(shades)) == len(shades)


@pytest.mark.parametrize("title", ["Mean", "A title that is wider than one cell " * 2])
def test_no_text_is_cut_off(title: str) -> None:
    name = "a group of users with quite a long name, hop 2"
    drawn = picture([[0.1], [0.9]], ["hop 1", name], ["author: someone long"], title)
    pixels = np.asarray(drawn)
    edges = (pixels[:, :6], pixels[:, -6:], pixels[:6], pixels[-6:])
    assert all((edge == 255).all() for edge in edges)


def test_letters_of_other_scripts_are_drawn() -> None:
    cyrillic, greek, unknown = (
        np.asarray(picture([[0.5]], [name], ["tags"], "Mean")).tobytes()
        for name in ("Ж", "Ω", "\U0010fffd")
    )
    assert len({cyrillic, greek, unknown}) == 3


def test_every_cell_carries_its_number() -> None:
    one, other = (
        np.asarray(picture([[0.25, x]], ["hop 1"], ["a", "b"], "Mean"))
        for x in (0.331, 0.332)
    )
    assert one.shape == other.shape and (one != other).any()

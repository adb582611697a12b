"""What a stack of hops refuses; its equations are in `test_attention`."""

from __future__ import annotations

from typing import Any

import pytest

from uvcan_tf.network.stacked_attention import StackedAttention

F, K = 5, 7


@pytest.mark.parametrize("hops", [0, -1, 1.5])
def test_attention_refuses_what_is_no_number_of_hops(hops: Any) -> None:
    with pytest.raises(ValueError, match=f"positive int. Received: hops={hops}"):
        StackedAttention(hops, F, K)


def test_without_guidance_there_is_one_hop() -> None:
    with pytest.raises(ValueError, match="without guidance. Received: hops=2"):
        StackedAttention(2, F, K, guided=False)

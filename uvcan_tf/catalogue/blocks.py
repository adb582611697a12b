"""How many videos are rated at once: what the device that rates them is fast with."""

from __future__ import annotations

from typing import Final, NamedTuple

import tensorflow as tf

from uvcan_tf.evaluation_settings import CPU, GPU


class BlockSize(NamedTuple):
    """Of a catalogue whose videos are rated a block at a time."""

    videos: int
    part: int  # of them, where XLA compiles, or where they are chosen by row


#: At 1,024 videos the cost of an operation is that of its numbers; at 512 what is
#: between the operations still fits a core's cache.
ON_CPU: Final = BlockSize(videos=1024, part=512)
#: A GPU wants much at once: with 1,024 videos it takes 13 times as long, see
#: docs/scaling.md.
ON_GPU: Final = BlockSize(videos=131_072, part=131_072)

BY_DEVICE: Final = {CPU: ON_CPU, GPU: ON_GPU}


def of_this_process() -> BlockSize:
    """For the device on which TensorFlow puts what nobody put elsewhere."""
    return ON_GPU if tf.config.list_logical_devices("GPU") else ON_CPU

"""What this machine can do at best: the references of everything else."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from benchmarks.results import Figure
from benchmarks.timing import seconds

_SIZE = 1024  # of a square matrix
_NUMBERS = 1 << 18  # a megabyte, which fits a core's cache
_TIMES = 16


@dataclasses.dataclass(frozen=True)
class Machine:
    """Rates of all cores together, each operation alone."""

    multiply_adds_per_s: float
    tanh_per_s: float

    def seconds(self, multiply_adds: float, tanh: float) -> float:
        """The least time for so many of both, one after the other."""
        return multiply_adds / self.multiply_adds_per_s + tanh / self.tanh_per_s

    def figures(self) -> dict[str, Figure]:
        """To be shown with the rest."""
        giga = 1e-9
        return {
            "machine_matmul": Figure(
                self.multiply_adds_per_s * giga, "billion multiply-adds/s"
            ),
            "machine_tanh": Figure(self.tanh_per_s * giga, "billion/s"),
        }


def measure() -> Machine:
    """Both rates, with TensorFlow's own kernels."""
    matrix = tf.random.stateless_normal([_SIZE, _SIZE], [1, 2])
    numbers = tf.random.stateless_normal([_TIMES, _NUMBERS], [3, 4])

    @tf.function(autograph=False)
    def multiply() -> tf.Tensor:
        return tf.matmul(matrix, matrix)

    @tf.function(autograph=False)
    def squash() -> tf.Tensor:
        return tf.map_fn(
            lambda row: tf.tanh(numbers[row])[0],
            tf.range(_TIMES),
            fn_output_signature=tf.float32,
            parallel_iterations=4,
        )

    return Machine(
        multiply_adds_per_s=_SIZE**3 / seconds(multiply),
        tanh_per_s=_TIMES * _NUMBERS / seconds(squash),
    )

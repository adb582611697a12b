"""Adam that leaves alone the rows of a large embedding that a step did not use.

Shapes: V rows of a variable, R distinct rows used at a step, K factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import tensorflow as tf

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices


@tf.keras.utils.register_keras_serializable("uvcan")
class SparseAdam(tf.keras.optimizers.Optimizer):
    """Adam, whose cost for a large embedding is that of the rows used.

    With t the step, k the steps since the row was last used and r = β₁ / √β₂:

    m ← β₁ᵏ m + (1-β₁) g,  v ← β₂ᵏ v + (1-β₂) g²
    x ← x - η √(1-β₂ᵗ) / (1-β₁ᵗ) · (1-rᵏ) / (1-r) · m / (√v + ε)

    Adam (Kingma & Ba, ICLR 2015) is the case k = 1. At a step without a gradient it
    decays the moments of all rows and moves each on by r times its last move. Here a
    row's moments decay when it is used next, and its moves of k steps, which add up to
    (1-rᵏ) / (1-r) of the first, are made at once, as many as were skipped before: Adam
    itself for rows used every k-th step, and for rows used by chance Adam's on average.
    TensorFlow Addons' `LazyAdam` and PyTorch's `SparseAdam` instead drop the moves of
    skipped steps, so that rare rows learn up to 1 / (1-r) times slower.

    A variable of fewer rows than `whole_below` is passed over whole, which is Adam and
    costs less than finding out which rows were used. So is a dense gradient.

    Args:
      learning_rate: η.
      beta_1, beta_2: β₁ and β₂; r should be less than 1.
      epsilon: ε.
      whole_below: rows from which on a variable is updated by row.

    Example:
      >>> x = tf.Variable([[3.0], [5.0]])
      >>> with tf.GradientTape() as tape:
      ...     loss = tf.reduce_sum(tf.gather(x, [1]))
      >>> optimizer = SparseAdam(0.5, whole_below=0)
      >>> _ = optimizer.apply_gradients([(tape.gradient(loss, x), x)])
      >>> x.numpy().round(3).tolist()
      [[3.0], [4.5]]
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        whole_below: int = 1 << 17,
        name: str = "SparseAdam",
        **kwargs: Any,
    ) -> None:
        if not 0 <= beta_1**2 < beta_2 < 1:
            raise ValueError(
                "`beta_1` should be less than the root of `beta_2`, and that less than "
                f"1. Received: beta_1={beta_1!r}, beta_2={beta_2!r}."
            )
        plain = {"weight_decay": None, **kwargs, "jit_compile": False}
        super().__init__(name=name, **plain)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.whole_below = whole_below

    def build(self, var_list: Iterable[tf.Variable]) -> None:
        variables = list(var_list)
        super().build(variables)
        if getattr(self, "_built", False):
            return
        self._built = True
        new = self.add_variable_from_reference
        self._momentums = [new(x, "m") for x in variables]
        self._velocities = [new(x, "v") for x in variables]
        self._last = {  # the step that used each row last, [V]
            str(number): self.add_variable(x.shape[:1], tf.int64, name="last")
            for number, x in enumerate(variables)
            if not self._is_whole(x)
        }

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Gradient, tf.Variable]],
        *args: Any,
        **kw: Any,
    ) -> tf.Variable:
        """One step; gradients of variables passed over whole are added up densely."""
        pairs = [(self._added_up(g, x), x) for g, x in grads_and_vars]
        return super().apply_gradients(pairs, *args, **kw)

    def _is_whole(self, variable: tf.Variable) -> bool:
        return not variable.shape.rank or variable.shape[0] < self.whole_below

    def _added_up(self, gradient: Gradient, variable: tf.Variable) -> Gradient:
        if not (isinstance(gradient, tf.IndexedSlices) and self._is_whole(variable)):
            return gradient
        rows = variable.shape[0]
        return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)

    def update_step(self, gradient: Gradient, variable: tf.Variable) -> None:
        """The update of one variable; Keras has summed the duplicates of a row."""
        if isinstance(gradient, tf.IndexedSlices):
            self._update_rows(gradient, variable)
        else:
            self._update_whole(gradient, variable)

    def _update_whole(self, g: tf.Tensor, x: tf.Variable) -> None:
        """Adam in one pass: Keras' own makes ten, each with a temporary."""
        index = self._index_dict[self._var_key(x)]
        t = tf.cast(self.iterations + 1, x.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=x.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, x.dtype), t),
            beta2_power=tf.pow(tf.cast(self.beta_2, x.dtype), t),
            lr=tf.cast(self.learning_rate, x.dtype),
            beta1=tf.cast(self.beta_1, x.dtype),
            beta2=tf.cast(self.beta_2, x.dtype),
            epsilon=tf.cast(self.epsilon, x.dtype),
            grad=g,
        )

    def _update_rows(self, gradient: tf.IndexedSlices, x: tf.Variable) -> None:
        g, rows = gradient.values, gradient.indices  # [R, K], [R]
        index = self._index_dict[self._var_key(x)]
        moment, velocity = self._momentums[index], self._velocities[index]  # [V, K]
        last = self._last[str(index)]  # [V]
        now = self.iterations + 1
        t = tf.cast(now, x.dtype)
        k = tf.cast(now - tf.gather(last, rows), x.dtype)
        k = tf.reshape(k, [-1, *(1 for _ in x.shape[1:])])  # [R, K=1], or [R]
        beta_1, beta_2 = (tf.cast(b, x.dtype) for b in (self.beta_1, self.beta_2))
        m = beta_1**k * tf.gather(moment, rows) + (1 - beta_1) * g  # [R, K]
        v = beta_2**k * tf.gather(velocity, rows) + (1 - beta_2) * g * g  # [R, K]
        r = beta_1 / tf.sqrt(beta_2)
        rate = tf.cast(self.learning_rate, x.dtype)
        rate = rate * tf.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        moved = rate * (1 - r**k) / (1 - r) * m / (tf.sqrt(v) + self.epsilon)
        moment.scatter_update(tf.IndexedSlices(m, rows))
        velocity.scatter_update(tf.IndexedSlices(v, rows))
        last.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), now), rows))
        x.scatter_sub(tf.IndexedSlices(moved, rows))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "whole_below": self.whole_below,
        }

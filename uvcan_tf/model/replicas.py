"""Who trains: how many workers and devices share a step, and which of them this is.

`tf.distribute` knows; without a strategy there is one of each.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from uvcan_tf.data.dataset import Pairs


@dataclasses.dataclass(frozen=True)
class Replicas:
    """Every step, each of `each` devices of `workers` processes takes a batch.

    Attributes:
      workers: processes.
      worker: which of them this is; 0 is the chief.
      each: devices of one process.
    """

    workers: int = 1
    worker: int = 0
    each: int = 1

    def own(self, pairs: Pairs) -> Pairs:
        """The pairs of this worker's users; everyone else's are another's."""
        if self.workers == 1:
            return pairs
        return pairs.where(pairs.user % self.workers == self.worker)

    def steps(self, pairs: Pairs, batch_size: int) -> int:
        """Steps of an epoch: the worker with most pairs passes over them once."""
        counts = np.bincount(pairs.user % self.workers, minlength=self.workers)
        return int(-(-counts.max(initial=0) // (batch_size * self.each)))


def replicas() -> Replicas:
    """Those of the strategy in whose scope this is called."""
    strategy = tf.distribute.get_strategy()
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None:
        return Replicas(each=strategy.num_replicas_in_sync)
    tasks = resolver.cluster_spec().as_dict()
    jobs = [job for job in ("chief", "worker") if job in tasks]
    order = [(job, task) for job in jobs for task in range(len(tasks[job]))]
    return Replicas(
        workers=len(order),
        worker=order.index((resolver.task_type, resolver.task_id)),
        each=strategy.num_replicas_in_sync // len(order),
    )


def number_of_replica() -> tf.Tensor:
    """int64, from 0: which of all devices computes this, inside a step."""
    context = tf.distribute.get_replica_context()
    return tf.cast(context.replica_id_in_sync_group if context else 0, tf.int64)

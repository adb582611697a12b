"""Inputs of several requests as one, and the other way round."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from serving.server.status import Code, StatusError, invalid_argument
from serving.wire import tensors

Feeds = Mapping[str, tensors.Array]


@dataclasses.dataclass(frozen=True)
class Task:
    """One request, or a part of a large one, in the queue.

    Args:
      feeds: inputs by tensor name, of one length.
      size: that length.
      begun: when it came; seconds of the monotonic clock.
      ends: when its caller will have gone; None waits without end.
      reply: where its outputs go, by tensor name.
    """

    feeds: Feeds
    size: int
    begun: float
    ends: float | None
    reply: Future[dict[str, tensors.Array]] = dataclasses.field(
        default_factory=lambda: Future[dict[str, tensors.Array]]()
    )


def size_of(feeds: Feeds) -> int:
    """The length that all inputs have in common.

    Raises:
      StatusError: there are no inputs, or scalars, or several lengths.
    """
    if not feeds:
        raise invalid_argument("Batching Run() must have at least one input tensor")
    if any(array.ndim == 0 for array in feeds.values()):
        raise invalid_argument(
            "Batching Run() input tensors must have at least one dimension"
        )
    sizes = {len(array) for array in feeds.values()}
    if len(sizes) > 1:
        raise invalid_argument(
            "Batching Run() input tensors must have equal 0th-dimension size"
        )
    return sizes.pop()


def split(feeds: Feeds, size: int, limit: int) -> list[tuple[Feeds, int]]:
    """The inputs in parts no longer than the limit, with their lengths."""
    if size <= limit:
        return [(feeds, size)]
    starts = range(0, size, limit)
    return [
        ({name: a[s : s + limit] for name, a in feeds.items()}, min(limit, size - s))
        for s in starts
    ]


def join(tasks: Sequence[Task], padding: int, pad: bool) -> dict[str, tensors.Array]:
    """The inputs of all tasks, one after the other, then the padding rows.

    Args:
      tasks: at least one.
      padding: rows to add; each is the first row of the last task.
      pad: lengthen other dimensions to the longest, by a tensor's first value.

    Raises:
      StatusError: tensors that do not fit together.
    """
    joined: dict[str, tensors.Array] = {}
    for name in tasks[0].feeds:
        arrays = [task.feeds[name] for task in tasks]
        arrays = _padded(arrays) if pad else _checked(name, arrays)
        if padding:
            arrays.append(np.repeat(arrays[-1][:1], padding, axis=0))
        joined[name] = tensors.joined(arrays)
    return joined


def _checked(name: str, arrays: list[tensors.Array]) -> list[tensors.Array]:
    if any(array.shape[1:] != arrays[0].shape[1:] for array in arrays):
        raise StatusError(
            Code.FAILED_PRECONDITION,
            f"Tensors with name '{name}' from different tasks have different shapes "
            "and padding is turned off.Set pad_variable_length_inputs to true, or "
            "ensure that all tensors with the same namehave equal dimensions starting "
            "with the first dim.",
        )
    return _of_one_type(arrays)


def _of_one_type(arrays: list[tensors.Array]) -> list[tensors.Array]:
    if any(array.dtype != arrays[0].dtype for array in arrays):
        raise StatusError(
            Code.INTERNAL,
            "Tensor concat operation failed: INVALID_ARGUMENT: Cannot concatenate "
            "tensors that have different data types.",
        )
    return arrays


def _padded(arrays: list[tensors.Array]) -> list[tensors.Array]:
    ranks = {array.ndim for array in arrays}
    if len(ranks) > 1 or max(ranks) > 6:
        raise invalid_argument("Only tensors with rank from 1 to 6 can be padded.")
    widest = np.max([array.shape for array in arrays], axis=0)
    found = []
    for array in _of_one_type(arrays):
        widths = zip(widest[1:], array.shape[1:], strict=True)
        missing = [(0, 0), *((0, int(most - own)) for most, own in widths)]
        if any(after for _, after in missing):
            if not array.size:
                raise invalid_argument(
                    "Got empty tensor in batch of non-empty tensors."
                )
            value = array.flat[0]
            array = np.pad(array, missing, constant_values=value)
        found.append(array)
    return found

"""What a facet is: how it is declared, and what it looks like once embedded.

Shapes: F facets of a user or of a video, K factors, D length of a dense feature, R
rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import tensorflow as tf

CATEGORICAL: Final = "categorical"
MULTIVALUED: Final = "multivalued"
DENSE: Final = "dense"


@dataclasses.dataclass(frozen=True)
class FacetSpec:
    """One facet of a user or of a video, as `SideEmbedding` needs to know it.

    Args:
      name: of its column.
      kind: `CATEGORICAL`, `MULTIVALUED` or `DENSE`.
      size: known values; of a dense facet, the length of its vector.

    >>> FacetSpec("tags", MULTIVALUED, 3).rows
    5
    """

    name: str
    kind: str
    size: int

    def __post_init__(self) -> None:
        kinds = (CATEGORICAL, MULTIVALUED, DENSE)
        if self.kind not in kinds:
            raise ValueError(
                f"The kind of facet '{self.name}' should be one of {', '.join(kinds)}. "
                f"Received: {self.kind!r}."
            )

    @property
    def rows(self) -> int:
        """Rows of its embedding table; row 0 is "missing", the last one "unknown"."""
        return self.size if self.kind == DENSE else self.size + 2

    def to_dict(self) -> dict[str, Any]:
        """The facet as Keras saves it in a config."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FacetSpec:
        """The facet of a config that Keras saved."""
        return cls(**content)


class Facets(NamedTuple):
    """X [..., F, K], the embedded facets as rows, and which are there, [..., F]."""

    X: tf.Tensor
    mask: tf.Tensor


class DistinctVectors(NamedTuple):
    """A dense feature whose rows repeat: values [R, D], and the row of each, [...].

    there: bool [R], whether a row is there at all, where that is known already.
    """

    values: tf.Tensor
    position: tf.Tensor
    there: tf.Tensor | None = None


class FacetValues(NamedTuple):
    """What one facet's column led to; several values [..., L, K], else [..., K]."""

    values: tf.Tensor
    there: tf.Tensor  # bool [..., L] or [...]

"""What a column can be: one name a row, several, or a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from uvcan_tf.errors import DeclarationError

__all__ = ["Categorical", "Dense", "Feature", "feature_from_json", "feature_to_json"]


@dataclasses.dataclass(frozen=True)
class Categorical:
    """A feature whose values are names: one per row, or several when multivalued."""

    name: str
    multivalued: bool = False


@dataclasses.dataclass(frozen=True)
class Dense:
    """A feature that is one float vector of a fixed length per row."""

    name: str
    length: int

    def __post_init__(self) -> None:
        is_int = isinstance(self.length, int) and not isinstance(self.length, bool)
        if not is_int or self.length < 1:
            raise DeclarationError(
                f"Dense feature '{self.name}': `length` should be a positive int. "
                f"Received: length={self.length!r}."
            )


Feature = Categorical | Dense


def feature_to_json(feature: Feature) -> str | dict[str, Any]:
    """The entry of a `features.json`."""
    if isinstance(feature, Categorical) and not feature.multivalued:
        return feature.name
    return dataclasses.asdict(feature)


def feature_from_json(side: str, entry: str | Mapping[str, Any]) -> Feature:
    """The feature of an entry; `side` names its list in the message."""
    if isinstance(entry, str):
        return Categorical(entry)
    if isinstance(entry, dict) and isinstance(entry.get("name"), str):
        if set(entry) == {"name", "length"}:
            return Dense(entry["name"], entry["length"])
        multivalued = entry.get("multivalued", False)
        if set(entry) <= {"name", "multivalued"} and isinstance(multivalued, bool):
            return Categorical(entry["name"], multivalued)
    raise DeclarationError(
        f"Each `{side}` feature should be a column name, or an object with `name` and "
        f"either `multivalued` or `length`. Received: {entry!r}."
    )

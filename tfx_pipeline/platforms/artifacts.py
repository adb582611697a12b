"""Artifacts that the platforms' pages know how to show, by the name of their type."""

from __future__ import annotations

from typing import Final

from tfx.types.artifact import Artifact


class Metrics(Artifact):
    """Numbers, as custom properties."""

    TYPE_NAME = "system.Metrics"


class Markdown(Artifact):
    """One file of text."""

    TYPE_NAME = "system.Markdown"


#: Their import paths, by type name.
SHOWN: Final = {
    kind.TYPE_NAME: f"{kind.__module__}.{kind.__qualname__}"
    for kind in (Metrics, Markdown)
}

"""What the client hands back: frozen records, no tensors."""

from __future__ import annotations

import dataclasses

from serving.client.errors import InvalidRequest

Weights = tuple[tuple[float, ...], ...]  # [hops, facets]


@dataclasses.dataclass(frozen=True)
class Scored:
    """A video and how much the user is expected to like it.

    `known_user` is false where the score is of a user whom the model does not know, and
    None where the signature does not tell.
    """

    video_id: str
    score: float
    known_user: bool | None = None


@dataclasses.dataclass(frozen=True)
class Attention:
    """One side's attention: a weight for each hop and facet; a hop's weights sum to 1.

    Args:
      facets: names of the facets, the columns of `weights`.
      weights: [hops, facets].
    """

    facets: tuple[str, ...]
    weights: Weights

    @property
    def last(self) -> dict[str, float]:
        """The weights of the last hop, by facet."""
        return dict(zip(self.facets, self.weights[-1], strict=True))


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why a video got its score: what either side looked at.

    `known_user` and `known_video` say whether the model knows them; None where the
    model is too old to tell.
    """

    user_id: str
    video_id: str
    score: float
    user: Attention
    video: Attention
    known_user: bool | None = None
    known_video: bool | None = None


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """One version of a model, as the server sees it."""

    version: int
    state: str
    error: str


@dataclasses.dataclass(frozen=True)
class Tls:
    """Certificates of a secured channel, as PEM bytes.

    Args:
      roots: certificates to trust; the machine's own when None.
      key: the client's private key, for mutual TLS.
      certificate: the client's certificate, for mutual TLS.
    """

    roots: bytes | None = None
    key: bytes | None = None
    certificate: bytes | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, (bytes, type(None))):
                raise InvalidRequest(
                    f"`{name}` should be the bytes of a PEM file. "
                    f"Received: a value of type {type(value).__name__}."
                )

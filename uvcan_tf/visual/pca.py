"""PCA with whitening, fitted in one pass over any number of frames.

The covariance of all frames is small beside the frames, and its eigenvectors are exact:
scikit-learn's IncrementalPCA, which keeps only the leading components of each batch, is
an approximation and depends on the order.

Shapes: F frames, D their width, L components.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from uvcan_tf.errors import DataError
from uvcan_tf.features import Dense, Features

__all__ = ["Pca", "beside", "file_of", "fit", "load", "load_all"]

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Pca:
    """z = (x − mean) · projection: components without covariance, of variance 1.

    Attributes:
      mean: float32 [D], of the frames it was fitted on.
      projection: float32 [D, L], eigenvectors over the root of their variance.
      variances: float64 [L], of the components before whitening, the largest first.
      frames: how many it was fitted on.
      weights: the digest of the network's weights.
    """

    mean: Array
    projection: Array
    variances: Array
    frames: int
    weights: str = ""

    @property
    def length(self) -> int:
        """The number of components."""
        return self.projection.shape[1]

    def __call__(self, activations: Array) -> npt.NDArray[np.float32]:
        """Activations [..., D] -> whitened components float32 [..., L]."""
        centred = np.asarray(activations, np.float32) - self.mean
        return np.asarray(centred @ self.projection, np.float32)

    def save(self, path: Path) -> None:
        """Writes one `.npz`, whole or not at all."""
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **dataclasses.asdict(self))
        partial.replace(path)


def load(path: Path) -> Pca:
    """Reads what `save` wrote.

    Raises:
      DataError: the file is another one, or is damaged.
    """
    try:
        with np.load(path) as file:
            arrays = {field.name: file[field.name] for field in dataclasses.fields(Pca)}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{path} should be a PCA that `data visual` wrote; fit it again with "
            f"--refit. Received: {str(error).splitlines()[0]}"
        ) from None
    frames, weights = int(arrays["frames"]), str(arrays["weights"])
    return Pca(**arrays | {"frames": frames, "weights": weights})


def file_of(folder: Path, column: str) -> Path:
    """Where the PCA of a column of vectors lies, beside the tables."""
    return folder / f"{column}_pca.npz"


def beside(folder: Path, features: Features) -> dict[str, Path]:
    """The PCAs that lie beside the tables, by the names of their features."""
    found = {
        feature.name: file_of(folder, feature.column)
        for feature in features.video
        if isinstance(feature, Dense)
    }
    return {name: path for name, path in found.items() if path.is_file()}


def load_all(paths: Mapping[str, Path], features: Features) -> dict[str, Pca]:
    """Reads PCAs by the names of their features.

    Raises:
      DataError: one cannot be read, or has made no vectors of the declared length.
    """
    found = {name: load(path) for name, path in paths.items()}
    for feature in features.video:
        pca = found.get(feature.name)
        if pca is not None and isinstance(feature, Dense):
            if pca.length != feature.length:
                raise DataError(
                    f"{paths[feature.name]} should have {feature.length} components, "
                    f"as '{feature.column}' is declared. Received: {pca.length}; run "
                    "`data visual` again, or remove the file."
                )
    return found


def fit(batches: Iterable[Array], components: int) -> Pca:
    """Fits on all rows of all batches [F, D], in float64.

    The PCA has fewer components where the frames do not allow so many.

    Raises:
      DataError: all frames are the same, or there are fewer than two.
    """
    moments: _Moments | None = None
    for batch in batches:
        rows = np.asarray(batch, np.float64)  # [F, D]
        if len(rows):
            moments = moments or _Moments(rows.mean(axis=0))
            moments.add(rows)
    if moments is None or moments.frames < 2:
        raise DataError(
            "A PCA needs two frames or more of training videos. Received: "
            f"{moments.frames if moments else 0}; name more videos."
        )
    return _of_covariance(
        moments.mean(), moments.covariance(), moments.frames, components
    )


class _Moments:
    """Sums over rows, about a point near their mean, which keeps the digits."""

    def __init__(self, point: Array) -> None:
        self.frames = 0
        self._point = point
        self._sum = np.zeros_like(point)
        self._squares = np.zeros((len(point), len(point)))

    def add(self, rows: Array) -> None:
        rows = rows - self._point
        self.frames += len(rows)
        self._sum += rows.sum(axis=0)
        self._squares += rows.T @ rows  # [D, D]

    def mean(self) -> Array:
        return self._point + self._sum / self.frames

    def covariance(self) -> Array:
        of_sums = np.outer(self._sum, self._sum) / self.frames
        return (self._squares - of_sums) / (self.frames - 1)


def _of_covariance(mean: Array, covariance: Array, frames: int, components: int) -> Pca:
    variances, vectors = np.linalg.eigh(covariance)  # ascending
    variances, vectors = variances[::-1], vectors[:, ::-1]
    rounded = np.linalg.norm(mean) * np.finfo(np.float32).eps  # as activations are
    noise = max(variances[0] * len(mean) * np.finfo(np.float64).eps, rounded**2)
    allowed = min(components, frames - 1, int(np.sum(variances > noise)))
    if not allowed:
        raise DataError(
            "A PCA needs frames that differ. Received: the same activations for all "
            f"{frames} frames of the training videos."
        )
    variances, vectors = variances[:allowed], vectors[:, :allowed]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(allowed)])  # the same on every machine
    projection = vectors * (signs / np.sqrt(variances))
    return Pca(
        mean.astype(np.float32), projection.astype(np.float32), variances, frames
    )

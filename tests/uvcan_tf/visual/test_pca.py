"""The PCA of a stream is that of numpy's SVD, and whitens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Features
from uvcan_tf.visual.pca import beside, file_of, fit, load, load_all

ROWS, WIDTH = 211, 23


def activations(seed: int = 0) -> np.ndarray:
    """Never negative, correlated, of very different variances, far from zero."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(ROWS, WIDTH)) @ random.normal(size=(WIDTH, WIDTH))
    return np.maximum(mixed * np.logspace(0, -2, WIDTH) + 5, 0).astype(np.float32)


def whitened_by_svd(x: np.ndarray, components: int) -> np.ndarray:
    centred = x.astype(np.float64) - x.astype(np.float64).mean(axis=0)
    left, _, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :components] * np.sqrt(len(x) - 1)


def test_it_is_the_pca_of_all_rows_but_for_signs() -> None:
    x = activations()
    found = fit(np.split(x, [1, 7, 100]), 11)(x)
    expected = whitened_by_svd(x, 11)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=2e-3)


def test_whitened_training_frames_have_the_identity_as_covariance() -> None:
    x = activations()
    z = fit([x], WIDTH)(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(z.T), np.eye(WIDTH), atol=1e-3)


def test_the_batches_do_not_matter() -> None:
    x = activations()
    whole, parts = fit([x], 5), fit(np.array_split(x[::-1], 50), 5)
    np.testing.assert_allclose(whole(x), parts(x), atol=1e-4)


def test_the_projection_of_a_mean_is_the_mean_of_projections() -> None:
    x = activations()
    pca = fit([x], 7)
    np.testing.assert_allclose(pca(x[:13].mean(0)), pca(x[:13]).mean(0), atol=1e-4)


def test_few_frames_allow_few_components() -> None:
    pca = fit([activations()[:4]], 11)
    assert pca.projection.shape == (WIDTH, 3)
    z = pca(activations()[:4])
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=1e-3)


def test_activations_that_never_vary_give_no_component() -> None:
    x = activations()
    x[:, 3:] = 2
    assert fit([x], WIDTH).projection.shape == (WIDTH, 3)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_frames_are_refused(rows: int) -> None:
    with pytest.raises(DataError, match=f"two frames or more .* Received: {rows};"):
        fit([activations()[:rows]], 5)


def test_frames_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(DataError, match="frames that differ"):
        fit([np.ones((9, 3), np.float32)], 2)


def test_it_is_the_same_after_a_save(tmp_path: Path) -> None:
    x = activations()
    pca = fit([x], 7)
    pca.save(tmp_path / "pca.npz")
    again = load(tmp_path / "pca.npz")
    assert again.frames == ROWS
    np.testing.assert_array_equal(again(x), pca(x))
    assert [path.name for path in tmp_path.iterdir()] == ["pca.npz"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pca.npz").write_bytes(b"nothing of this kind")
    with pytest.raises(DataError, match=r"pca.npz should be a PCA .* --refit"):
        load(tmp_path / "pca.npz")


FEATURES = Features((), (Categorical("author"), Dense("Bild 1", 7), Dense("b", 2)))


def test_the_pca_of_a_feature_lies_beside_the_tables(tmp_path: Path) -> None:
    assert beside(tmp_path, FEATURES) == {}
    fit([activations()], 7).save(file_of(tmp_path, "Bild 1"))
    [(name, path)] = beside(tmp_path, FEATURES).items()
    assert (name, path.name) == (FEATURES.video[1].name, "Bild 1_pca.npz")
    assert load_all({name: path}, FEATURES)[name].length == 7


def test_a_pca_of_another_length_is_refused(tmp_path: Path) -> None:
    fit([activations()], 5).save(file_of(tmp_path, "Bild 1"))
    with pytest.raises(DataError, match="should have 7 components, .* Received: 5;"):
        load_all(beside(tmp_path, FEATURES), FEATURES)

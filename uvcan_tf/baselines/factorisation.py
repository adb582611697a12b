"""Matrix factorisations, x_u · y_v, fitted by the library `implicit` on the CPU."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
import numpy.typing as npt
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no stubs

from uvcan_tf.data.dataset import Dataset, IntArray
from uvcan_tf.data.matrices import likes_of
from uvcan_tf.validators import require_count, require_not_negative, require_positive

_Factors = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class ALSSettings:
    """How ALS is fitted.

    Args:
      factors: length of x_u and y_v.
      regularization: weight of the squared factors.
      alpha: weight of a liked pair; every other pair has weight 1.
      iterations: times that users and videos are solved for in turn.
      seed: of the initial factors.
      threads: that solve side by side.
    """

    factors: int = 32
    regularization: float = 0.1
    alpha: float = 10.0
    iterations: int = 15
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("factors", "iterations", "threads"):
            require_count(name, getattr(self, name))
        require_not_negative("regularization", self.regularization)
        require_positive("alpha", self.alpha)


@dataclasses.dataclass(frozen=True)
class BPRSettings:
    """How BPR is fitted.

    Args:
      factors: length of x_u and y_v, a video's bias apart.
      learning_rate: of stochastic gradient descent.
      regularization: weight of the squared factors.
      iterations: passes over the training pairs.
      seed: of the initial factors and the drawn pairs.
      threads: that write to the factors; with more than one, runs differ.
    """

    factors: int = 32
    learning_rate: float = 0.01
    regularization: float = 0.01
    iterations: int = 100
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("factors", "iterations", "threads"):
            require_count(name, getattr(self, name))
        require_positive("learning_rate", self.learning_rate)
        require_not_negative("regularization", self.regularization)


class _Model(Protocol):
    """The part of a model of `implicit` that is used here."""

    user_factors: _Factors
    item_factors: _Factors

    def fit(self, user_items: csr_matrix, show_progress: bool) -> None: ...


class Factorisation:
    """Scores x_u · y_v of a model of `implicit`, fitted to the training pairs."""

    def __init__(self, model: _Model, dataset: Dataset) -> None:
        likes = likes_of(dataset)
        model.fit(likes[1:-1], show_progress=False)
        self._users = np.pad(model.user_factors, ((1, 1), (0, 0)))  # [n+2, F]
        self._users[np.diff(likes.indptr) == 0] = 0.0
        self._videos = model.item_factors  # [V, F]

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]; zeros for users without training pairs."""
        return self._users[users] @ self._videos.T


class ALS(Factorisation):
    """Weighted least squares over all pairs: iALS or WMF.

    Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets
    (ICDM 2008), with weights of alpha and 1 where they have 1 + alpha and 1.
    """

    def __init__(self, dataset: Dataset, settings: ALSSettings = ALSSettings()) -> None:
        with threadpool_limits(1, "blas"):  # `implicit` warns of a second thread pool
            model = AlternatingLeastSquares(
                factors=settings.factors,
                regularization=settings.regularization,
                alpha=settings.alpha,
                iterations=settings.iterations,
                random_state=settings.seed,
                num_threads=settings.threads,
                use_gpu=False,
            )
            super().__init__(model, dataset)


class BPR(Factorisation):
    """Bayesian personalised ranking: liked videos score above drawn other ones.

    Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback (UAI 2009),
    with a bias of each video.
    """

    def __init__(self, dataset: Dataset, settings: BPRSettings = BPRSettings()) -> None:
        model = BayesianPersonalizedRanking(
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            random_state=settings.seed,
            num_threads=settings.threads,
            use_gpu=False,
        )
        super().__init__(model, dataset)

"""Multinomial logistic regression on embeddings, fitted to the optimum and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

_CLOSE = 1e-6


@dataclass(frozen=True)
class Shape:
    """Principal axes of a cloud of embeddings.

    Attributes:
        axes: in columns, shape (D, D).
        variance: along each, shape (D,).
    """

    axes: Reals
    variance: Reals


@dataclass(frozen=True)
class LinearModel:
    """A multinomial logistic regression.

    Attributes:
        weight: shape (D, C).
        bias: shape (C,).
    """

    weight: Reals
    bias: Reals

    def logits(self, embedding: Reals) -> Reals:
        """Scores of the classes, shape (N, C)."""
        return embedding @ self.weight + self.bias


def cloud_shape(embedding: Reals) -> Shape:
    """Principal axes of standardised embeddings, shape (N, D)."""
    variance, axes = np.linalg.eigh(embedding.T @ embedding / len(embedding))
    return Shape(axes, np.maximum(variance, 0.0))


def fit_logistic(
    embedding: Reals,
    truth: Codes,
    classes: int,
    strength: float,
    *,
    shape: Shape | None = None,
    start: LinearModel | None = None,
    close: float = _CLOSE,
) -> LinearModel:
    """Multinomial logistic regression with class-balanced weights and a ridge penalty.

    Minimises sum_i w_i (-log p_i(truth_i)) / sum_i w_i + strength / 2 |W|^2 with
    w_i = 1 / (items of its class); the bias is free.

    Args:
        embedding: shape (N, D), of mean 0 and deviation 1 or nearly so.
        truth: class of each item, shape (N,).
        classes: number of classes C.
        strength: of the penalty.
        shape: of this or a similar cloud of embeddings: for speed, the result is the same.
        start: where to begin; zero by default.
        close: largest slope at which to end.

    Reference:
        Bishop, Pattern Recognition and Machine Learning (2006), equations 4.108 and 4.109; the
        bound on the curvature that the variables are scaled by is Böhning (1992), theorem 1.
    """
    shape = shape or cloud_shape(embedding)
    curvature = np.sqrt(shape.variance / 2 + strength)[:, None]
    weight = balanced_weights(truth, classes)[:, None]
    target = np.zeros((len(truth), classes))
    target[np.arange(len(truth)), truth] = 1.0

    def model_of(flat: Reals) -> LinearModel:
        inner = flat.reshape(-1, classes)
        return LinearModel(shape.axes @ (inner[:-1] / curvature), inner[-1])

    def loss(flat: Reals) -> tuple[float, Reals]:
        model = model_of(flat)
        logits = model.logits(embedding)
        logits -= logits.max(axis=1, keepdims=True)
        chance = np.exp(logits)
        total = chance.sum(axis=1, keepdims=True)
        error = weight * (chance / total - target)
        slope = embedding.T @ error + strength * model.weight
        own = (logits * target).sum(axis=1, keepdims=True)
        value = (weight * (np.log(total) - own)).sum() + strength / 2 * (model.weight**2).sum()
        inner = np.vstack([(shape.axes.T @ slope) / curvature, error.sum(axis=0)])
        return float(value), inner.ravel()

    first = np.zeros((len(curvature) + 1, classes))
    if start is not None:
        first = np.vstack([(shape.axes.T @ start.weight) * curvature, start.bias])
    options = {"gtol": close, "ftol": 0.0, "maxiter": 1000, "maxcor": 20}
    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    return model_of(found.x)


def balanced_weights(truth: Codes, classes: int) -> Reals:
    """Weights that sum to one, and to the same over the items of every class that occurs.

    Args:
        truth: class of each item, shape (N,).
        classes: number of classes.
    """
    count = np.bincount(truth, minlength=classes)
    return 1.0 / (count[truth] * (count > 0).sum())

"""Logistic regression of the same rows at one strength after another: numpy in, numpy out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

__all__ = ["Logistic"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
_TOLERANCE = 1e-7  # of the loss, over its size: a step that gains less is the last one
_MAX_STEPS = 1000
_LEAST_SPREAD = 1e-4  # of a probability, so that no direction seems flat


class Logistic:
    """Multinomial logistic regression by L-BFGS, each fit from where the last one ended.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Of mean near 0, along directions at right angles: then few steps are enough,
        however unequal the directions are.
    targets : ndarray of shape (n_rows,)
        Classes, from 0.
    weights : ndarray of shape (n_rows,)
        At least 0, with some above in every class.

    Attributes
    ----------
    coefficients : ndarray of shape (n_outputs, n_features)
        One output a class, and one alone, that of the second, where there are two.
    intercept : ndarray of shape (n_outputs,)
        Not held back.

    Notes
    -----
    The minimum is that of ``sklearn.linear_model.LogisticRegression``: the sum of weighted
    log-losses, and half of the squared coefficients over C. Steps are taken in units of the
    root of the curvature along each coefficient, in which all directions are about as steep.
    """

    coefficients: Floats
    intercept: Floats

    def __init__(self, features: Floats, targets: Integers, weights: Floats) -> None:
        is_member = np.eye(targets.max() + 1)[targets]
        shares = weights @ is_member / weights.sum()
        self._is_binary = len(shares) == 2
        outputs = slice(1, None) if self._is_binary else slice(None)
        self._features, self._squares, self._weights = features, np.square(features), weights
        self._is_member = is_member[:, outputs]
        self.coefficients = np.zeros((self._is_member.shape[1], features.shape[1]))
        self.intercept = np.log(shares[outputs]) - self._is_binary * np.log(shares[0])

    def fit(self, C: float) -> Self:
        """Find the least loss at an inverse strength of regularisation.

        Parameters
        ----------
        C : float
            Above 0.

        Returns
        -------
        Logistic
            This object.
        """
        units = np.sqrt(
            self._curvatures() + np.append(np.full(self.coefficients.shape[1], 1 / C), 0)
        )

        def loss(steps: Floats) -> tuple[float, Floats]:
            found = steps.reshape(units.shape) / units
            value, slopes = self._loss(found[:, :-1], found[:, -1])
            slopes[:, :-1] += found[:, :-1] / C
            return value + np.square(found[:, :-1]).sum() / (2 * C), (slopes / units).ravel()

        start = (np.column_stack([self.coefficients, self.intercept]) * units).ravel()
        options = {"ftol": _TOLERANCE, "gtol": 0.0, "maxiter": _MAX_STEPS}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        solution = found.x.reshape(units.shape) / units
        self.coefficients, self.intercept = solution[:, :-1], solution[:, -1]
        return self

    def _told(self, logits: Floats) -> Floats:
        return np.asarray(expit(logits) if self._is_binary else softmax(logits, axis=1))

    def _curvatures(self) -> Floats:
        """Return how fast the slope along each coefficient changes, the intercept's last."""
        told = self._told(self._features @ self.coefficients.T + self.intercept)
        spread = self._weights[:, None] * (told * (1 - told) + _LEAST_SPREAD)
        return np.column_stack([spread.T @ self._squares, spread.sum(0)])

    def _loss(self, coefficients: Floats, intercept: Floats) -> tuple[float, Floats]:
        """Return the sum of log-losses and its slopes, of the intercept in the last column."""
        logits = self._features @ coefficients.T + intercept
        errors = self._weights[:, None] * (self._told(logits) - self._is_member)
        slopes = np.column_stack([errors.T @ self._features, errors.sum(0)])
        return float(self._weights @ self._losses(logits)), slopes

    def _losses(self, logits: Floats) -> Floats:
        own = np.einsum("nk,nk->n", logits, self._is_member)
        if self._is_binary:
            return np.asarray(np.logaddexp(0, logits[:, 0]) - own)
        return np.asarray(logsumexp(logits, axis=1) - own)

    def logits(self, features: Floats) -> Floats:
        """Return one number a class for each row, also where there are two.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Rows as those fitted.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logits.
        """
        found = features @ self.coefficients.T + self.intercept
        return np.hstack([np.zeros_like(found), found]) if self._is_binary else found

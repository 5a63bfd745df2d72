"""Figures of what the estimators answer; matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from ..base import single_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EmbeddingDisplay"]


class EmbeddingDisplay:
    """Embeddings of series as points in the plane of their two main directions.

    Series that the network finds alike lie close together. Make it with
    :meth:`from_estimator` or :meth:`from_embeddings`.

    Parameters
    ----------
    coordinates : ndarray of shape (n_series, 2)
        Coordinates along the first two principal components.
    explained_variance_ratio : ndarray of shape (2,)
        Share of the variance of the embeddings along each.
    y : ndarray of shape (n_series,), default=None
        Classes, which give the colours.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn in.
    figure_ : matplotlib Figure
        The figure they are part of.

    See Also
    --------
    TSPulseTransformer : Makes embeddings.
    ImputationDisplay : Draws gaps and what filled them.

    Notes
    -----
    The components are those of centred, not of standardised embeddings. Two directions
    hold a part of the truth only, so classes that overlap here may still be apart.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 4.

    Examples
    --------
    >>> from sktspulse import EmbeddingDisplay, TSPulseTransformer
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(40, n_classes=3, random_state=0)
    >>> display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    >>> display.coordinates.shape
    (40, 2)
    >>> display.ax_.get_legend().get_title().get_text()
    'class'
    """

    def __init__(
        self,
        coordinates: NDArray[np.floating[Any]],
        explained_variance_ratio: NDArray[np.floating[Any]],
        y: NDArray[Any] | None = None,
    ) -> None:
        self.coordinates = coordinates
        self.explained_variance_ratio = explained_variance_ratio
        self.y = y

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Embed series and draw them.

        Parameters
        ----------
        estimator : TSPulseTransformer or Pipeline
            Fitted transformer from series to vectors.
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel of two series or more.
        y : array-like of shape (n_series,), default=None
            Classes, which give the colours.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        **scatter_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        EmbeddingDisplay
            What was drawn.
        """
        return cls.from_embeddings(estimator.transform(X), y, ax=ax, **scatter_kwargs)

    @classmethod
    def from_embeddings(
        cls,
        embeddings: ArrayLike,
        y: ArrayLike | None = None,
        *,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Draw embeddings at hand.

        Parameters
        ----------
        embeddings : array-like of shape (n_series, n_features)
            Vectors of two series or more, at least two numbers each.
        y : array-like of shape (n_series,), default=None
            Classes, which give the colours.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        **scatter_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        EmbeddingDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If there are fewer than two series, or not as many classes as series.
        """
        vectors = check_array(embeddings, ensure_min_samples=2, ensure_min_features=2)
        labels = None if y is None else column_or_1d(y)
        check_consistent_length(vectors, labels)
        # The seed matters for large panels only, whose components are approximated.
        pca = PCA(2, random_state=0).fit(vectors)
        display = cls(pca.transform(vectors), pca.explained_variance_ratio_, labels)
        return display.plot(ax, **scatter_kwargs)

    def plot(self, ax: Axes | None = None, **scatter_kwargs: Any) -> Self:
        """Draw the points, with a legend if there are classes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        **scatter_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        EmbeddingDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        axes = single_axes(ax)
        style = {"s": 18, "alpha": 0.8, "linewidths": 0} | scatter_kwargs
        for label, points, colour in self._groups():
            axes.scatter(*points.T, **{"color": colour, "label": label} | style)
        if self.y is not None:
            axes.legend(title="class", loc="center left", bbox_to_anchor=(1, 0.5))
        first, second = (f"{share:.0%} of the variance" for share in self.explained_variance_ratio)
        axes.set(xlabel=f"first component ({first})", ylabel=f"second component ({second})")
        self.ax_, self.figure_ = axes, axes.figure
        return self

    def _groups(self) -> list[tuple[str | None, NDArray[Any], Any]]:
        """Return name, points and colour of every class."""
        import matplotlib as mpl

        if self.y is None:
            return [(None, self.coordinates, "C0")]
        classes = np.unique(self.y)
        # The usual colours repeat after ten.
        wheel = mpl.colormaps["turbo"](np.linspace(0.05, 0.95, len(classes)))
        colours = [f"C{i}" for i in range(10)] if len(classes) <= 10 else list(wheel)
        members = [self.coordinates[self.y == one] for one in classes]
        return list(zip(map(str, classes), members, colours[: len(classes)], strict=True))

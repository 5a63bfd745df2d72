"""Plot of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from ..base import CLASS_STYLES, ESTIMATE, plain_text, single_axes
from ..series import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EmbeddingDisplay"]

_MAX_ENTRIES = 40  # of the legend
_ROWS = 14  # of the legend, in a column


class EmbeddingDisplay:
    """Scatter plot of the first two principal components of embeddings.

    Series that the network finds similar lie close together. Create it with
    :meth:`from_estimator` or :meth:`from_embeddings`.

    Parameters
    ----------
    coordinates : ndarray of shape (n_series, 2)
        First two principal components.
    explained_variance_ratio : ndarray of shape (2,)
        Fraction of the variance of the embeddings along each.
    y : ndarray of shape (n_series,), default=None
        Classes, shown as colours and markers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    TSPulseTransformer : Computes embeddings.
    RetrievalDisplay : Plots a series and its nearest neighbours.

    Notes
    -----
    Embeddings are centred, but not standardised. Classes that overlap in two dimensions
    may still be separable in all.

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
        coordinates: Values,
        explained_variance_ratio: Values,
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
        """Embed series and plot them.

        Parameters
        ----------
        estimator : TSPulseTransformer or Pipeline
            Fitted transformer from panels to embeddings.
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel of at least two series.
        y : array-like of shape (n_series,), default=None
            Classes, shown as colours and markers.
        ax : matplotlib Axes, default=None
            Axes to plot on. None creates a new figure.
        **scatter_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        EmbeddingDisplay
            The plot.
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
        """Plot embeddings.

        Parameters
        ----------
        embeddings : array-like of shape (n_series, n_features)
            At least two embeddings with at least two features.
        y : array-like of shape (n_series,), default=None
            Classes, shown as colours and markers.
        ax : matplotlib Axes, default=None
            Axes to plot on. None creates a new figure.
        **scatter_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        EmbeddingDisplay
            The plot.

        Raises
        ------
        ValueError
            If there are fewer than two embeddings, or another number of classes.
        """
        vectors = check_array(embeddings, ensure_min_samples=2, ensure_min_features=2)
        labels = None if y is None else column_or_1d(y)
        check_consistent_length(vectors, labels)
        # The solver for large inputs is randomised.
        pca = PCA(2, random_state=0).set_output(transform="default").fit(vectors)
        display = cls(pca.transform(vectors), pca.explained_variance_ratio_, labels)
        return display.plot(ax, **scatter_kwargs)

    def plot(self, ax: Axes | None = None, **scatter_kwargs: Any) -> Self:
        """Plot the points, with a legend if there are classes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. None creates a new figure.
        **scatter_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

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
        if self.y is None:
            axes.scatter(*self.coordinates.T, **{"color": ESTIMATE} | style)
        else:
            self._scatter_classes(axes, self.y, style)
        first, second = (f"{ratio:.0%} of the variance" for ratio in self.explained_variance_ratio)
        axes.set(xlabel=f"first component ({first})", ylabel=f"second component ({second})")
        self.ax_, self.figure_ = axes, axes.figure
        return self

    def _scatter_classes(self, axes: Axes, y: NDArray[Any], style: dict[str, Any]) -> None:
        classes = np.unique(y)
        for i, label in enumerate(classes):
            points = self.coordinates[y == label]
            own = CLASS_STYLES[i % len(CLASS_STYLES)] | {"label": plain_text(label)}
            axes.scatter(*points.T, **own | style)
        handles, _ = axes.get_legend_handles_labels()
        shown = handles[-len(classes) :][:_MAX_ENTRIES]
        more = len(classes) - len(shown)
        title = f"class ({more} more)" if more else "class"
        legend: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
        n_columns = -(-len(shown) // _ROWS)
        axes.legend(handles=shown, title=title, ncols=n_columns, fontsize="small", **legend)

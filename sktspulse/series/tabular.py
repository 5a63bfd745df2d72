"""Panels as tables and back, for tools that take two axes only."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from .types import Panel, Values
from .validation import check_panel

__all__ = ["PanelToTabular", "TabularToPanel"]

_RULES: dict[str, Any] = {"dtype": (np.float64, np.float32), "ensure_all_finite": "allow-nan"}


class PanelToTabular(TransformerMixin, BaseEstimator):
    """Lay the channels of each series one after the other in a row.

    The table is for tools that take two axes only, such as ``BaggingClassifier``,
    ``ColumnTransformer`` or ``permutation_importance``; :class:`TabularToPanel` makes a
    panel of it again, as the first step of a pipeline.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.
    n_channels_in_ : int
        Number of channels.
    n_timepoints_ : int
        Length of the longest series fitted with, and of each channel in a row.
    is_equal_length_ : bool
        Whether all series fitted with were of one length.

    See Also
    --------
    TabularToPanel : The way back.
    TSPulseTransformer : Makes a table of embeddings, which are for any classifier.

    Notes
    -----
    The first ``n_timepoints_`` columns are the first channel, from its first time point
    to its last. Shorter series are followed by missing values (NaN), which
    ``inverse_transform`` cuts off again. float32 stays float32. NaN is kept; ±inf is an
    error. Nothing is random; the table is a copy, and nothing else is held.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktspulse import PanelToTabular, TabularToPanel, TSPulseClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(24, n_channels=2, random_state=0)
    >>> table = PanelToTabular().fit_transform(X)
    >>> table.shape
    (24, 256)
    >>> model = make_pipeline(TabularToPanel(n_channels=2), TSPulseClassifier())
    >>> BaggingClassifier(model, 2, random_state=0).fit(table, y).predict(table).shape
    (24,)
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the number of channels and the greatest length.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : object, default=None
            Not used.

        Returns
        -------
        PanelToTabular
            This object.

        Raises
        ------
        ValueError
            If X is empty, infinite or of the wrong shape.
        """
        lengths = {one.shape[1] for one in self._check(X, reset=True)}
        self.n_timepoints_ = max(lengths)
        self.is_equal_length_ = len(lengths) == 1
        return self

    def transform(self, X: ArrayLike) -> Values:
        """Lay out a panel as a table.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the channels fitted and no series longer than the
            longest fitted.

        Returns
        -------
        ndarray of shape (n_series, n_channels * n_timepoints)
            The table, NaN where missing and behind shorter series.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, has other channels or a longer series.
        """
        check_is_fitted(self)
        panel = self._check(X, reset=False)
        longest = max(one.shape[1] for one in panel)
        if longest > self.n_timepoints_:
            raise ValueError(
                f"X has a series of {longest} time points, but PanelToTabular was fitted with "
                f"{self.n_timepoints_} at most. Fit again with the longest, or cut series."
            )
        shape = (len(panel), self.n_channels_in_, self.n_timepoints_)
        table = np.full(shape, np.nan, dtype=np.result_type(*panel))
        for row, series in zip(table, panel, strict=True):
            row[:, : series.shape[1]] = series
        return table.reshape(len(panel), -1)

    def inverse_transform(self, X: ArrayLike) -> Panel:
        """Make a panel of a table.

        Parameters
        ----------
        X : array-like of shape (n_series, n_channels * n_timepoints)
            Table as from ``transform``.

        Returns
        -------
        ndarray of shape (n_series, n_channels, n_timepoints), or list of ndarray of shape \
(n_channels, n_timepoints_i)
            The panel; a list if the series fitted with were of unequal lengths, each
            without the time points at its end at which no channel has a value.

        Raises
        ------
        ValueError
            If X has another number of columns, or is infinite.
        """
        check_is_fitted(self)
        table = check_array(X, **_RULES)
        expected = self.n_channels_in_ * self.n_timepoints_
        if table.shape[1] != expected:
            raise ValueError(
                f"X has {table.shape[1]} columns, expected {expected}: {self.n_channels_in_} "
                f"channels of {self.n_timepoints_} time points. Pass what transform returned."
            )
        panel = table.reshape(len(table), self.n_channels_in_, -1)
        return panel if self.is_equal_length_ else _cut(panel)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Name the columns of the table.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used, but checked against the names seen in ``fit``.

        Returns
        -------
        ndarray of str objects
            ``ch0_t0``, ``ch0_t1``, ...: channel, time point.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        channels, times = range(self.n_channels_in_), range(self.n_timepoints_)
        return np.array([f"ch{c}_t{t}" for c in channels for t in times], dtype=object)

    def _check(self, X: ArrayLike, *, reset: bool) -> Panel:
        return check_panel(self, X, reset=reset, min_timepoints=1)

    def __sklearn_tags__(self) -> Any:
        return _with_tags(super().__sklearn_tags__())


class TabularToPanel(TransformerMixin, BaseEstimator):
    """Make a panel of a table whose rows are series, channel after channel.

    As the first step of a pipeline it lets estimators of panels work inside tools that
    take two axes only.

    Parameters
    ----------
    n_channels : int, default=1
        Number of channels, each as long as the others.
    trim : bool, default=False
        Whether to drop the time points at the end of a series at which no channel has a
        value, so that series may differ in length. A series without any value keeps one
        time point.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.

    See Also
    --------
    PanelToTabular : Makes the table.

    Notes
    -----
    float32 stays float32. NaN is kept; ±inf is an error. Nothing is random. Without
    ``trim`` no values are copied.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TabularToPanel
    >>> table = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, np.nan, 6.0, np.nan]])
    >>> TabularToPanel(n_channels=2).fit_transform(table).shape
    (2, 2, 2)
    >>> [one.shape for one in TabularToPanel(2, trim=True).fit_transform(table)]
    [(2, 2), (2, 1)]
    """

    def __init__(self, n_channels: int = 1, *, trim: bool = False) -> None:
        self.n_channels = n_channels
        self.trim = trim

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the table.

        Parameters
        ----------
        X : array-like of shape (n_series, n_channels * n_timepoints)
            Table; NaN where missing.
        y : object, default=None
            Not used.

        Returns
        -------
        TabularToPanel
            This object.

        Raises
        ------
        ValueError
            If the number of columns is no multiple of ``n_channels``, or X is infinite.
        """
        table = validate_data(self, X, **_RULES)
        n, n_columns = self.n_channels, table.shape[1]
        if not (isinstance(n, int | np.integer) and n > 0 and n_columns % n == 0):
            raise ValueError(
                f"n_channels is {n!r}, expected a whole number by which {n_columns} columns can "
                "be divided. Pass the number of channels that the rows are made of."
            )
        return self

    def transform(self, X: ArrayLike) -> Panel:
        """Make a panel.

        Parameters
        ----------
        X : array-like of shape (n_series, n_channels * n_timepoints)
            Table as in ``fit``.

        Returns
        -------
        ndarray of shape (n_series, n_channels, n_timepoints), or list of ndarray of shape \
(n_channels, n_timepoints_i)
            The panel; a list if ``trim`` is set.
        """
        check_is_fitted(self)
        table = validate_data(self, X, reset=False, **_RULES)
        panel = table.reshape(len(table), self.n_channels, -1)
        return _cut(panel) if self.trim else panel

    def inverse_transform(self, X: ArrayLike) -> Values:
        """Make a table of a panel.

        Parameters
        ----------
        X : array-like
            Panel as from ``transform``.

        Returns
        -------
        ndarray of shape (n_series, n_channels * n_timepoints)
            The table.

        Raises
        ------
        ValueError
            If X has other channels or longer series than the table fitted with.
        """
        check_is_fitted(self)
        n_timepoints = self.n_features_in_ // self.n_channels
        template = np.zeros((1, self.n_channels, n_timepoints), dtype=np.float32)
        return PanelToTabular().fit(template).transform(X)

    def __sklearn_tags__(self) -> Any:
        return _with_tags(super().__sklearn_tags__())


def _cut(panel: Values) -> list[Values]:
    """Drop the time points at the end of each series at which no channel has a value."""
    known = ~np.asarray(np.isnan(panel).all(axis=1))  # (n_series, n_timepoints)
    lengths = known.shape[1] - known[:, ::-1].argmax(axis=1)
    lengths = np.where(known.any(axis=1), lengths, 1)
    return [series[:, :n] for series, n in zip(panel, lengths, strict=True)]


def _with_tags(tags: Any) -> Any:
    tags.input_tags.allow_nan = True
    tags.transformer_tags.preserves_dtype = ["float64", "float32"]
    tags.requires_fit = True
    return tags

"""Convert panels to tables and back, for tools that accept two axes only."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ..pages import Documented
from .checks import padded, trim_ends
from .fitting import fitted_copy
from .numbers import read_floats
from .output import OutputMixin
from .types import Panel, Values
from .validation import check_restorable_panel

__all__ = ["PanelToTabular", "TabularToPanel"]

_RULES: dict[str, Any] = {"ensure_2d": True, "allow_nd": False, "ensure_all_finite": "allow-nan"}


class _Converter(Documented, OutputMixin, TransformerMixin, BaseEstimator):
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.requires_fit = True
        return tags


class PanelToTabular(_Converter):
    """Convert a panel to a table with one row per series, channel after channel.

    Use it for tools that accept two axes only, such as ``BaggingClassifier``,
    ``ColumnTransformer`` or ``permutation_importance``. :class:`TabularToPanel`, as the
    first step of a pipeline, converts the table back.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.
    n_channels_in_ : int
        Number of channels.
    n_timepoints_ : int
        Length of the longest series, which every channel has in a row.
    is_equal_length_ : bool
        Whether all series passed to ``fit`` have the same length.

    See Also
    --------
    TabularToPanel : Converts the table back.
    TSPulseTransformer : Converts a panel to a table of embeddings.

    Notes
    -----
    The first ``n_timepoints_`` columns are the first channel in order of time. Shorter
    series are padded with NaN at their end, which ``inverse_transform`` removes. float32
    stays float32. NaN is kept; ±inf is an error. Nothing is random.

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

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store the number of channels and the greatest length.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing.
        y : object, default=None
            Ignored.

        Returns
        -------
        PanelToTabular
            The fitted object.

        Raises
        ------
        ValueError
            If X is empty, infinite or of the wrong shape.
        """
        with fitted_copy(self) as fitted:
            lengths = {series.shape[1] for series in fitted._check(X, reset=True)}
            fitted.n_timepoints_ = max(lengths)
            fitted.is_equal_length_ = len(lengths) == 1
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Convert a panel to a table.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the same channels and no longer series.

        Returns
        -------
        ndarray of shape (n_series, n_channels * n_timepoints)
            A copy; NaN where missing and at the end of shorter series. A data frame if
            ``set_output`` says so.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or has other channels or a longer series.
        """
        check_is_fitted(self)
        panel = self._check(X, reset=False)
        longest = max(series.shape[1] for series in panel)
        if longest > self.n_timepoints_:
            raise ValueError(
                f"X has a series of {longest} time points, but PanelToTabular was fitted with "
                f"{self.n_timepoints_} at most. Fit again with the longest series, or shorten it."
            )
        table = np.array(padded(panel, self.n_timepoints_))
        return self._to_output(table.reshape(len(panel), -1), X)

    def inverse_transform(self, X: ArrayLike) -> Panel:
        """Convert a table to a panel.

        Parameters
        ----------
        X : array-like of shape (n_series, n_channels * n_timepoints)
            Table as returned by ``transform``.

        Returns
        -------
        ndarray of shape (n_series, n_channels, n_timepoints), or list of ndarray of shape \
(n_channels, n_timepoints_i)
            The panel. If series had unequal lengths in ``fit``, a list without the time
            points at the end of a series at which all channels are missing.

        Raises
        ------
        ValueError
            If X is infinite or has another number of columns.
        """
        check_is_fitted(self)
        table = read_floats(X, **_RULES)
        expected = self.n_channels_in_ * self.n_timepoints_
        if table.shape[1] != expected:
            raise ValueError(
                f"X has {table.shape[1]} columns, expected {expected}: {self.n_channels_in_} "
                f"channels of {self.n_timepoints_} time points. Pass a table from transform."
            )
        panel = table.reshape(len(table), self.n_channels_in_, -1)
        return panel if self.is_equal_length_ else list(trim_ends(panel, 1))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the columns of the table.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used, but checked against the names seen in ``fit``.

        Returns
        -------
        ndarray of str objects
            ``ch0_t0``, ``ch0_t1``, ...: channel and time point.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        channels, times = range(self.n_channels_in_), range(self.n_timepoints_)
        return np.array([f"ch{c}_t{t}" for c in channels for t in times], dtype=object)

    def _check(self, X: ArrayLike, *, reset: bool) -> Panel:
        return check_restorable_panel(self, X, reset=reset, min_timepoints=1)[0]


class TabularToPanel(_Converter):
    """Convert a table whose rows are series, channel after channel, to a panel.

    As the first step of a pipeline, it makes estimators for panels work in tools that
    accept two axes only.

    Parameters
    ----------
    n_channels : int, default=1
        Number of channels in a row, all of the same length.
    trim : bool, default=False
        Whether to remove the time points at the end of each series at which all channels
        are missing. A series without any value keeps one time point.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.

    See Also
    --------
    PanelToTabular : Converts a panel to a table.

    Notes
    -----
    float32 stays float32. NaN is kept; ±inf is an error. Nothing is random. Values are
    not copied unless they have to be converted.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TabularToPanel
    >>> table = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, np.nan, 6.0, np.nan]])
    >>> TabularToPanel(n_channels=2).fit_transform(table).shape
    (2, 2, 2)
    >>> [series.shape for series in TabularToPanel(2, trim=True).fit_transform(table)]
    [(2, 2), (2, 1)]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "trim": ["boolean"],
    }

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
            Ignored.

        Returns
        -------
        TabularToPanel
            The fitted object.

        Raises
        ------
        ValueError
            If the number of columns is not a multiple of ``n_channels``, or X is infinite.
        """
        self._validate_params()
        n_columns = read_floats(X, estimator=self, **_RULES).shape[1]
        if n_columns % self.n_channels:
            raise ValueError(
                f"X has {n_columns} columns, which is not a multiple of n_channels="
                f"{self.n_channels}. Pass the number of channels in a row."
            )
        with fitted_copy(self) as fitted:
            validate_data(fitted, X, skip_check_array=True)
            fitted._n_channels, fitted._trims = self.n_channels, self.trim
        return self

    def transform(self, X: ArrayLike) -> Panel:
        """Convert a table to a panel.

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
        table = read_floats(X, estimator=self, **_RULES)
        validate_data(self, X, reset=False, skip_check_array=True)
        panel = table.reshape(len(table), self._n_channels, -1)
        return list(trim_ends(panel, 1)) if self._trims else panel

    def inverse_transform(self, X: ArrayLike) -> Values:
        """Convert a panel to a table.

        Parameters
        ----------
        X : array-like
            Panel as returned by ``transform``.

        Returns
        -------
        ndarray of shape (n_series, n_channels * n_timepoints)
            The table.

        Raises
        ------
        ValueError
            If X has other channels or longer series than the table in ``fit``.
        """
        check_is_fitted(self)
        n_timepoints = self.n_features_in_ // self._n_channels
        template = np.zeros((1, self._n_channels, n_timepoints), dtype=np.float32)
        table: Values = PanelToTabular().set_output(transform="default").fit(template).transform(X)
        return table

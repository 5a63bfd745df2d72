"""Generators of synthetic series, labelled panels and recordings with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.random import Generator, RandomState
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from ..series import Flags, Floats, Values, validated
from .primitives import (
    Family,
    coloured_noise,
    draw_levels,
    draw_segments,
    log_uniform,
    smooth_curve,
    uniform,
    zscore_rows,
)
from .processes import PROCESSES
from .shapes import SHAPES

__all__ = ["FAMILIES", "make_gappy_series", "make_labelled_panel", "make_series"]

_BASE_FAMILIES: dict[str, Family] = {**SHAPES, **PROCESSES}
FAMILIES = (*_BASE_FAMILIES, "mixture")
# A family is drawn as often as it is listed. One series in four is a mixture.
_DEFAULT_FAMILIES = (*_BASE_FAMILIES, *["mixture"] * (len(_BASE_FAMILIES) // 3))

_COUNT = Interval(Integral, 1, None, closed="left")
_CONSTRAINTS: dict[str, list[Any]] = {
    "n_series": [_COUNT],
    "n_timepoints": [Interval(Integral, 8, None, closed="left")],
    "n_classes": [_COUNT],
    "n_channels": [_COUNT],
    "families": ["array-like", None],
    "missing_fraction": [Interval(Real, 0, 1, closed="left")],
    "random_state": ["random_state", Generator],
}

_DAY, _WEEK = 24, 168  # [h]
_SMOOTHING_WINDOW = 8  # of the second sensor [h]
_MEAN_BLOCK_LENGTH = 24  # of missing values [h]


@validated(**_CONSTRAINTS)
def make_series(
    n_series: int = 100,
    n_timepoints: int = 512,
    *,
    families: Sequence[str] | None = None,
    random_state: int | RandomState | Generator | None = None,
) -> NDArray[np.float32]:
    """Draw synthetic series from many families of shapes, processes and mixtures.

    The families are varied enough for pre-training: periodic shapes whose period and
    amplitude drift, daily and weekly calendars, trends, level shifts, random walks, ARMA
    and coloured noise, demand, sensors that hold or saturate, Gaussian processes with
    random kernels, chaotic systems, and mixtures: sums, products, switches and
    cross-fades of two series. Two series in five carry additional low noise.

    Parameters
    ----------
    n_series : int, default=100
        Number of series.
    n_timepoints : int, default=512
        Length of each series, at least 8.
    families : sequence of str, default=None
        Names from ``FAMILIES``; a family is drawn as often as it is listed.
        ``"mixture"`` combines two series of any other families, listed or not.
        If None, one series in four is a mixture and the other families are equally likely.
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same series every time.

    Returns
    -------
    ndarray of shape (n_series, n_timepoints), float32
        Finite series of zero mean and unit variance; none is constant.

    Raises
    ------
    ValueError
        If a family is unknown or a size is too small.

    See Also
    --------
    make_labelled_panel : Make a panel with known classes.
    make_gappy_series : Make a recording of several sensors with gaps.

    Notes
    -----
    Draw many series per call: chaotic systems are simulated step by step for all at once.
    If a size changes, all series change, even with the same seed.

    Gaussian processes are sampled by circulant embedding [1]_.

    References
    ----------
    .. [1] Dietrich and Newsam, "Fast and exact simulation of stationary Gaussian
       processes through circulant embedding of the covariance matrix", SIAM J. Sci.
       Comput. 18(4), 1997.

    Examples
    --------
    >>> from sktspulse.datasets import make_series
    >>> make_series(3, 256, random_state=0).shape
    (3, 256)
    >>> beats = make_series(2, families=["heartbeat"], random_state=0)
    >>> beats.std(axis=1).round(3)
    array([1., 1.], dtype=float32)
    """
    rng = _generator(random_state)
    families = _DEFAULT_FAMILIES if families is None else families
    _check_families(families)
    series = _replace_constant(rng, _draw(rng, n_series, n_timepoints, families))
    series = _add_noise(rng, series)
    signs = rng.choice([-1.0, 1.0], (n_series, 1))
    return zscore_rows(signs * series).astype(np.float32)


@validated(**_CONSTRAINTS)
def make_labelled_panel(
    n_series: int = 100,
    n_timepoints: int = 128,
    n_classes: int = 2,
    *,
    n_channels: int = 1,
    random_state: int | RandomState | Generator | None = None,
) -> tuple[Floats, NDArray[np.int64]]:
    """Draw a panel whose classes differ in period and shape.

    Each class has a number of cycles and, per channel, a random sum of four harmonics.
    Within a class, series differ in their phase, in their frequency by up to a tenth, and
    by noise of 0.3 times the standard deviation of the panel.

    Parameters
    ----------
    n_series : int, default=100
        Number of series.
    n_timepoints : int, default=128
        Length of each series, at least 8.
    n_classes : int, default=2
        Number of classes; their sizes differ by at most one.
    n_channels : int, default=1
        Number of channels; those of one series share phase and frequency.
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same panel every time.

    Returns
    -------
    X : ndarray of shape (n_series, n_channels, n_timepoints)
        The panel.
    y : ndarray of shape (n_series,)
        Class of each series, 0 to ``n_classes - 1``, in random order.

    Raises
    ------
    ValueError
        If a size is too small.

    See Also
    --------
    make_series : Make series of many families, without classes.
    make_gappy_series : Make a recording of several sensors with gaps.

    Examples
    --------
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(30, 64, n_classes=3, n_channels=2, random_state=0)
    >>> X.shape
    (30, 2, 64)
    >>> [int((y == label).sum()) for label in range(3)]
    [10, 10, 10]
    """
    rng = _generator(random_state)
    y = rng.permutation(np.arange(n_series) % n_classes)
    shapes = rng.standard_normal((n_classes, n_channels, 4, 2)).view(np.complex128)[..., 0]
    shapes /= np.linalg.norm(shapes, axis=2, keepdims=True)
    n_cycles = np.geomspace(2.0, max(3.0, n_timepoints / 16), n_classes)[y, None]
    cycles = n_cycles * uniform(rng, 0.9, 1.1, n_series) * np.linspace(0, 1, n_timepoints)
    wave = np.exp(2j * np.pi * (cycles + rng.random((n_series, 1))))
    harmonics = wave[:, None] ** np.arange(1, 5)[:, None]
    clean = (shapes[y] @ harmonics).real
    return clean + 0.3 * clean.std() * rng.standard_normal(clean.shape), y


@validated(**_CONSTRAINTS)
def make_gappy_series(
    n_timepoints: int = 2016,
    n_channels: int = 6,
    *,
    missing_fraction: float = 0.1,
    random_state: int | RandomState | Generator | None = None,
) -> tuple[Floats, Floats]:
    """Draw an hourly recording of coupled sensors with gaps, and the complete recording.

    Each channel is a mixture of the same daily cycle, weekly cycle and weather, in its own
    unit. The second channel is smooth. The third is mostly zero, as rainfall is. The others
    carry noise. Half of the missing values are single points; the other half form blocks
    in one channel each, a day long on average.

    Parameters
    ----------
    n_timepoints : int, default=2016
        Length of the recording [h], at least 8; 2016 is twelve weeks.
    n_channels : int, default=6
        Number of sensors.
    missing_fraction : float, default=0.1
        Fraction of the values that are missing, in [0, 1).
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same recording every time.

    Returns
    -------
    X : ndarray of shape (n_timepoints, n_channels)
        The recording, with NaN for missing values.
    X_complete : ndarray of shape (n_timepoints, n_channels)
        The same recording without gaps.

    Raises
    ------
    ValueError
        If a size is too small, or ``missing_fraction`` is not in [0, 1).

    See Also
    --------
    make_series : Make complete series of many families.
    make_labelled_panel : Make a panel with known classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse.datasets import make_gappy_series
    >>> X, X_complete = make_gappy_series(336, 4, missing_fraction=0.25, random_state=0)
    >>> X.shape, int(np.isnan(X).sum())
    ((336, 4), 336)
    >>> X_complete[np.isnan(X)].shape
    (336,)
    """
    rng = _generator(random_state)
    complete = _sensors(rng, n_timepoints, n_channels)
    missing = _gaps(rng, n_timepoints, n_channels, round(missing_fraction * complete.size))
    return np.where(missing, np.nan, complete), complete


def _generator(random_state: int | RandomState | Generator | None) -> Generator:
    if isinstance(random_state, Generator):
        return random_state
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1, size=4))


def _check_families(families: Sequence[str]) -> None:
    unknown = sorted(set(families).difference(FAMILIES))
    if unknown or not len(families):
        raise ValueError(
            f"families contains {unknown[:3] or 'no name'}, but expected one or more of "
            f"{list(FAMILIES)}. Choose from these, or pass None for all."
        )


def _draw(rng: Generator, n: int, t: int, families: Sequence[str]) -> Values:
    """Draw standardised series of random families; components of mixtures are extra rows."""
    chosen = rng.choice(families, n)
    mixed = np.flatnonzero(chosen == "mixture")
    chosen = np.concatenate([chosen, rng.choice(list(_BASE_FAMILIES), 2 * mixed.size)])
    series: Values = np.zeros((len(chosen), t), dtype=np.float32)
    for name, family in _BASE_FAMILIES.items():
        rows = np.flatnonzero(chosen == name)
        if rows.size:
            series[rows] = zscore_rows(family(rng, rows.size, t))
    series[mixed] = zscore_rows(_mix(rng, *np.split(series[n:], 2)))
    return series[:n]


def _mix(rng: Generator, first: Values, second: Values) -> Values:
    """Combine pairs of series: sum, product, switch at change points, or slow cross-fade."""
    n, t = first.shape
    segments = draw_segments(rng, n, t)
    level = uniform(rng, 0.0, 1.0, n) * draw_levels(rng, segments)
    weight = 0.5 + 0.5 * np.tanh(uniform(rng, 0.5, 5.0, n) * smooth_curve(rng, n, t))
    mixtures = [
        first + log_uniform(rng, 0.03, 1.0, n) * second,
        first * (uniform(rng, 0.0, 3.0, n) + second),
        np.where(segments % 2, first, second + level),
        weight * first + (1 - weight) * second,
    ]
    return np.choose(rng.choice([0, 0, 1, 2, 3], (n, 1)), mixtures)


def _replace_constant(rng: Generator, series: Values) -> Values:
    """Replace constant series, such as demand without any order, by white noise."""
    constant = ~series.any(axis=1)
    replaced = series.copy()
    replaced[constant] = rng.standard_normal((constant.sum(), series.shape[1]))
    return replaced


def _add_noise(rng: Generator, series: Values) -> Values:
    """Add low noise to two series in five: white to a third of them, coloured to the others."""
    rows = np.flatnonzero(rng.random(len(series)) < 0.4)
    exponent = uniform(rng, -1.0, 2.0, rows.size).clip(0, None)
    noise = zscore_rows(coloured_noise(rng, series.shape[1], exponent))
    noisy = series.copy()
    noisy[rows] += log_uniform(rng, 0.005, 0.5, rows.size) * noise
    return noisy


def _sensors(rng: Generator, n_timepoints: int, n_channels: int) -> Floats:
    """Mix daily cycle, weekly cycle and weather into each channel, in its own unit."""
    hour = np.arange(n_timepoints)[:, None]
    day = np.sin(2 * np.pi * (hour / _DAY + rng.random(n_channels) / 6))
    workday = np.tanh(4 * (np.sin(2 * np.pi * (hour / _WEEK + rng.random())) + 0.5))
    weather = zscore_rows(coloured_noise(rng, n_timepoints, np.array([[1.5]]))).T
    loadings = rng.uniform(0.4, 1.0, (3, n_channels)) * rng.choice([-1, 1], (3, n_channels))
    smooth = loadings[0] * day + loadings[1] * workday * (1 + day) / 2 + loadings[2] * weather
    recording = smooth + 0.2 * rng.standard_normal(smooth.shape)
    recording[:, 1:2] = uniform_filter1d(smooth[:, 1:2], _SMOOTHING_WINDOW, axis=0, mode="nearest")
    clouds = weather + 0.5 * rng.standard_normal((n_timepoints, 1))
    rain = rng.standard_exponential((n_timepoints, 1)) * (clouds - 1.0).clip(0, None)
    recording[:, 2:3] = rain
    return recording * 10 ** rng.uniform(-1, 3, n_channels)


def _gaps(rng: Generator, n_timepoints: int, n_channels: int, n_missing: int) -> Flags:
    """Choose exactly ``n_missing`` values: half in random blocks of a channel, half anywhere."""
    starts = rng.random((n_channels, n_timepoints)) < 1 / _MEAN_BLOCK_LENGTH
    starts[:, 0] = True
    block = np.cumsum(starts) - 1
    order = np.argsort(rng.permutation(block[-1] + 1)[block], kind="stable")
    missing = np.zeros(block.size, dtype=bool)
    missing[order[: n_missing // 2]] = True
    points = rng.choice(np.flatnonzero(~missing), n_missing - n_missing // 2, replace=False)
    missing[points] = True
    return missing.reshape(n_channels, n_timepoints).T

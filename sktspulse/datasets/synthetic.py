"""Synthetic panels and series of known origin, for pre-training, examples and tests."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.utils import check_random_state, check_scalar

from .primitives import (
    RNG,
    Batch,
    Family,
    between,
    coloured_noise,
    curve,
    draw_segments,
    held,
    log_between,
    standardize,
)
from .processes import PROCESSES
from .shapes import FORMS

__all__ = ["FAMILIES", "make_gappy_series", "make_labelled_panel", "make_series"]

RandomState = int | np.random.RandomState | np.random.Generator | None

_SIMPLE: dict[str, Family] = {**FORMS, **PROCESSES}
FAMILIES = (*_SIMPLE, "mixture")
# A name given several times is drawn as many times as often: mixtures are one series in four.
_USUAL = (*_SIMPLE, *["mixture"] * (len(_SIMPLE) // 3))

_DAY, _WEEK = 24, 168  # [h]
_INERTIA = 8  # window the smooth sensor averages over [h]
_GAP_LENGTH = 24  # mean length of a block of missing values [h]


def make_series(
    n_series: int = 100,
    n_timepoints: int = 512,
    *,
    families: Sequence[str] | None = None,
    random_state: RandomState = None,
) -> NDArray[np.float32]:
    """Draw synthetic series from many families of shapes, laws and mixtures.

    Made to be wide enough to pre-train on: periodic shapes whose period and size
    drift, calendars of days and weeks, trends, level shifts, walks, ARMA and
    coloured noise, demand, sensors that hold or saturate, Gaussian processes of
    random kernels, chaotic systems, and sums, products, switches and cross-fades of
    any two of them. Low noise, white or coloured, is added to two series of five;
    the others stay as clean as their family makes them.

    Parameters
    ----------
    n_series : int, default=100
        Number of series.
    n_timepoints : int, default=512
        Length of every series [time points], at least 8.
    families : sequence of str, default=None
        Names to draw from, each as often as it is listed; see ``FAMILIES``.
        ``"mixture"`` combines two series of any other families, listed or not.
        None draws one series in four from the mixtures and the others evenly.
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same series every time.

    Returns
    -------
    ndarray of shape (n_series, n_timepoints), float32
        Finite series of mean zero and variance one, none constant.

    Raises
    ------
    ValueError
        If a family is unknown or a size is too small.

    See Also
    --------
    make_labelled_panel : Panel whose classes are known.
    make_gappy_series : Sensor table with gaps, and what they hide.

    Notes
    -----
    One thread draws about 15,000 series of 512 points a second in calls of 1,024
    series. Small calls cost more a series, as chaotic systems step through time.
    A series depends on the whole call: other sizes give other series.

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
    check_scalar(n_series, "n_series", Integral, min_val=1)
    check_scalar(n_timepoints, "n_timepoints", Integral, min_val=8)
    rng = _generator(random_state)
    series = _draw(rng, n_series, n_timepoints, _known(_USUAL if families is None else families))
    _replace_constant(rng, series)
    _add_noise(rng, series)
    signs = rng.choice([-1.0, 1.0], (n_series, 1))
    return standardize(signs * series).astype(np.float32)


def make_labelled_panel(
    n_series: int = 100,
    n_timepoints: int = 128,
    n_classes: int = 2,
    *,
    n_channels: int = 1,
    random_state: RandomState = None,
) -> tuple[Batch, NDArray[np.int64]]:
    """Draw a panel whose classes differ in period and shape.

    Every class has a number of cycles and, per channel, its own mixture of four
    harmonics. A series starts anywhere in the cycle, runs up to a tenth faster or
    slower than its class, and carries noise of 0.3 times the size of its shape.

    Parameters
    ----------
    n_series : int, default=100
        Number of series.
    n_timepoints : int, default=128
        Length of every series [time points], at least 8.
    n_classes : int, default=2
        Number of classes; their sizes differ by one at most.
    n_channels : int, default=1
        Number of channels; they share the start and the pace of their series.
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same panel every time.

    Returns
    -------
    X : ndarray of shape (n_series, n_channels, n_timepoints)
        The panel.
    y : ndarray of shape (n_series,)
        Class of every series, 0 to ``n_classes - 1``, in random order.

    Raises
    ------
    ValueError
        If a size is too small.

    See Also
    --------
    make_series : Series of many families, without classes.
    make_gappy_series : Sensor table with gaps, and what they hide.

    Examples
    --------
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(30, 64, n_classes=3, n_channels=2, random_state=0)
    >>> X.shape
    (30, 2, 64)
    >>> [int((y == label).sum()) for label in range(3)]
    [10, 10, 10]
    """
    check_scalar(n_series, "n_series", Integral, min_val=1)
    check_scalar(n_timepoints, "n_timepoints", Integral, min_val=8)
    check_scalar(n_classes, "n_classes", Integral, min_val=1)
    check_scalar(n_channels, "n_channels", Integral, min_val=1)
    rng = _generator(random_state)
    y = rng.permutation(np.arange(n_series) % n_classes)
    shapes = rng.standard_normal((n_classes, n_channels, 4, 2)).view(np.complex128)[..., 0]
    shapes /= np.linalg.norm(shapes, axis=2, keepdims=True)
    n_cycles = np.geomspace(2.0, max(3.0, n_timepoints / 16), n_classes)[y, None]
    pace = n_cycles * between(rng, 0.9, 1.1, n_series) * np.linspace(0, 1, n_timepoints)
    wave = np.exp(2j * np.pi * (pace + rng.random((n_series, 1))))
    harmonics = wave[:, None] ** np.arange(1, 5)[:, None]
    clean = (shapes[y] @ harmonics).real
    return clean + 0.3 * clean.std() * rng.standard_normal(clean.shape), y


def make_gappy_series(
    n_timepoints: int = 2016,
    n_channels: int = 6,
    *,
    missing_rate: float = 0.1,
    random_state: RandomState = None,
) -> tuple[Batch, Batch]:
    """Draw an hourly recording of coupled sensors with gaps, and what the gaps hide.

    All channels mix the same daily cycle, weekly cycle and weather, each on its own
    unit. The second channel follows smoothly; the third, as rain does, is mostly
    zero; the others carry noise. Half of the missing values are single points
    anywhere, the other half come in blocks, a day long on average, each in one channel.

    Parameters
    ----------
    n_timepoints : int, default=2016
        Length of the recording [h], at least 8; 2016 is twelve weeks.
    n_channels : int, default=6
        Number of sensors.
    missing_rate : float, default=0.1
        Share of the values that are missing, in [0, 1).
    random_state : int, RandomState, Generator or None, default=None
        Source of randomness. An int gives the same recording every time.

    Returns
    -------
    X : ndarray of shape (n_timepoints, n_channels)
        The recording; NaN where a value is missing.
    X_complete : ndarray of shape (n_timepoints, n_channels)
        The same recording with every value known.

    Raises
    ------
    ValueError
        If a size is too small or the rate lies outside [0, 1).

    See Also
    --------
    make_series : Series of many families, complete.
    make_labelled_panel : Panel whose classes are known.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse.datasets import make_gappy_series
    >>> X, X_complete = make_gappy_series(336, 4, missing_rate=0.25, random_state=0)
    >>> X.shape, int(np.isnan(X).sum())
    ((336, 4), 336)
    >>> observed = ~np.isnan(X)
    >>> bool((X[observed] == X_complete[observed]).all())
    True
    """
    check_scalar(n_timepoints, "n_timepoints", Integral, min_val=8)
    check_scalar(n_channels, "n_channels", Integral, min_val=1)
    check_scalar(
        missing_rate, "missing_rate", Real, min_val=0, max_val=1, include_boundaries="left"
    )
    rng = _generator(random_state)
    complete = _sensors(rng, n_timepoints, n_channels)
    missing = _gaps(rng, n_timepoints, n_channels, round(missing_rate * complete.size))
    return np.where(missing, np.nan, complete), complete


def _generator(random_state: RandomState) -> RNG:
    if isinstance(random_state, np.random.Generator):
        return random_state
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1, size=4))


def _known(families: Sequence[str]) -> Sequence[str]:
    unknown = sorted(set(families).difference(FAMILIES))
    if unknown or not families:
        raise ValueError(
            f"families is {list(families)}, which names {unknown or 'nothing'}, but each of at "
            f"least one should be among {list(FAMILIES)}. Choose from them, or pass None."
        )
    return families


def _mix(rng: RNG, first: Batch, second: Batch) -> Batch:
    """Combine pairs of series: sum, product, switch at change points, or slow cross-fade."""
    n, t = first.shape
    segments = draw_segments(rng, n, t)
    level = between(rng, 0.0, 1.0, n) * held(rng, segments)
    share = 0.5 + 0.5 * np.tanh(between(rng, 0.5, 5.0, n) * curve(rng, n, t))
    mixes = [
        first + log_between(rng, 0.03, 1.0, n) * second,
        first * (between(rng, 0.0, 3.0, n) + second),
        np.where(segments % 2, first, second + level),
        share * first + (1 - share) * second,
    ]
    return np.choose(rng.choice([0, 0, 1, 2, 3], (n, 1)), mixes)


def _draw(rng: RNG, n: int, t: int, families: Sequence[str]) -> NDArray[Any]:
    """Draw each series from a family chosen at random, standardised.

    Mixtures take their parts from extra rows, so that every family runs once a call.
    """
    plan = rng.choice(families, n)
    mixed = np.flatnonzero(plan == "mixture")
    plan = np.concatenate([plan, rng.choice(list(_SIMPLE), 2 * mixed.size)])
    series: NDArray[Any] = np.zeros((len(plan), t), dtype=np.float32)
    for name, family in _SIMPLE.items():
        rows = np.flatnonzero(plan == name)
        if rows.size:
            series[rows] = standardize(family(rng, rows.size, t))
    series[mixed] = standardize(_mix(rng, series[n : n + mixed.size], series[n + mixed.size :]))
    return series[:n]


def _replace_constant(rng: RNG, series: NDArray[Any]) -> None:
    """Put white noise where a family came out constant, as rare demand may."""
    constant = np.flatnonzero(~series.any(axis=1))
    series[constant] = rng.standard_normal((constant.size, series.shape[1]))


def _add_noise(rng: RNG, series: NDArray[Any]) -> None:
    """Add low noise to two series of five, white to a third of them, coloured to the others."""
    rows = np.flatnonzero(rng.random(len(series)) < 0.4)
    exponent = between(rng, -1.0, 2.0, rows.size).clip(0, None)
    noise = standardize(coloured_noise(rng, series.shape[1], exponent))
    series[rows] += log_between(rng, 0.005, 0.5, rows.size) * noise


def _sensors(rng: RNG, n_timepoints: int, n_channels: int) -> Batch:
    """Mix day, week and weather into every channel, on units of its own."""
    hour = np.arange(n_timepoints)[:, None]
    day = np.sin(2 * np.pi * (hour / _DAY + rng.random(n_channels) / 6))
    workday = np.tanh(4 * (np.sin(2 * np.pi * (hour / _WEEK + rng.random())) + 0.5))
    weather = standardize(coloured_noise(rng, n_timepoints, np.array([[1.5]]))).T
    loadings = rng.uniform(0.4, 1.0, (3, n_channels)) * rng.choice([-1, 1], (3, n_channels))
    smooth = loadings[0] * day + loadings[1] * workday * (1 + day) / 2 + loadings[2] * weather
    table: Batch = smooth + 0.2 * rng.standard_normal(smooth.shape)
    table[:, 1:2] = uniform_filter1d(smooth[:, 1:2], _INERTIA, axis=0, mode="nearest")
    clouds = weather + 0.5 * rng.standard_normal((n_timepoints, 1))
    rain = (clouds - 1.0).clip(0, None) * rng.standard_exponential((n_timepoints, 1))
    table[:, 2:3] = rain
    units: Batch = 10 ** rng.uniform(-1, 3, n_channels)
    return table * units


def _gaps(rng: RNG, n_timepoints: int, n_channels: int, n_missing: int) -> NDArray[np.bool_]:
    """Choose exactly ``n_missing`` values: half in random blocks of a channel, half anywhere."""
    starts = rng.random((n_channels, n_timepoints)) < 1 / _GAP_LENGTH
    starts[:, 0] = True
    block = np.cumsum(starts) - 1
    order = np.argsort(rng.permutation(block[-1] + 1)[block], kind="stable")
    missing = np.zeros(block.size, dtype=bool)
    missing[order[: n_missing // 2]] = True
    points = rng.choice(np.flatnonzero(~missing), n_missing - n_missing // 2, replace=False)
    missing[points] = True
    return missing.reshape(n_channels, n_timepoints).T

"""One page about a recording."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from ..base import load_pyplot
from ..network import write_atomically
from .page import render_page
from .recording import examine

if TYPE_CHECKING:
    from ..anomaly import TSPulseAnomalyDetector
    from ..imputation import TSPulseImputer

__all__ = ["report"]


def report(
    X: ArrayLike,
    path: str | os.PathLike[str] | None = None,
    *,
    detector: TSPulseAnomalyDetector | None = None,
    imputer: TSPulseImputer | None = None,
    title: str = "Recording",
) -> str:
    """Describe a recording in one HTML page: what was filled, what was found, when, and where.

    The page needs no other file, no script and no network. It follows the light or dark
    scheme of the reader and fits a phone.

    Parameters
    ----------
    X : array-like of shape (n_timepoints, n_channels)
        The recording, NaN where missing. The index and the column names of a data frame are
        used.
    path : str or path-like, default=None
        File to write, completely or not at all. A file of that name is replaced. None writes
        none.
    detector : TSPulseAnomalyDetector, default=None
        Finds the alarms. If it is not fitted, a copy is fitted on X. None means default
        parameters.
    imputer : TSPulseImputer, default=None
        Fills the gaps. If it is not fitted, a copy is fitted on X. With ``freq``, missing
        rows are inserted first. None means default parameters and ``random_state=0``.
    title : str, default="Recording"
        Title of the page.

    Returns
    -------
    str
        The page.

    Raises
    ------
    ValueError
        If X is no recording that both estimators take, such as one of fewer than 8 rows or
        without a known value, or if the folder of ``path`` does not exist.
    ImportError
        If matplotlib is not installed.

    See Also
    --------
    AnomalyScoreDisplay : Draws a recording and its scores.
    ImputationDisplay : Draws a channel and its filled gaps.

    Notes
    -----
    A recording is compared with itself unless the detector is fitted, which finds rare
    anomalies only. Alarms are the segments of ``predict_segments``. Long recordings are drawn
    by the lowest and the highest value of each of 900 parts. Tables have at most 50 rows: the
    strongest alarms and the longest gaps. At most eight channels are drawn. A page has a few
    hundred kilobytes at most.

    Examples
    --------
    >>> import numpy as np
    >>> import sktspulse
    >>> X = np.sin(np.arange(700.0) / 9)[:, None]
    >>> X[400:420] += 0.7
    >>> X[100:105] = np.nan
    >>> page = sktspulse.report(X, title="A sine with a step")
    >>> "5 values in 1 gap filled" in page
    True
    """
    load_pyplot()  # what is missing should not be found out after minutes of work
    if path is not None and not Path(path).parent.is_dir():
        raise ValueError(f"There is no folder {str(Path(path).parent)!r}. Create it first.")
    page = render_page(examine(X, detector, imputer), title)
    if path is not None:
        write_atomically(Path(path), page.encode())
    return page

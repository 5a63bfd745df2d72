"""Ways to learn from labelled series, as objects with parameters."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from ..pages import Documented

__all__ = ["TSLens"]

_POSITIVE_INTEGER = Interval(Integral, 1, None, closed="left")


class TSLens(Documented, BaseEstimator):
    """Options of fine-tuning: the ``strategy`` that trains part of the network.

    Pass an instance as ``strategy`` of :class:`TSPulseClassifier` or
    :class:`TSPulseRegressor`. Their ``fit`` then trains the decoder of the network, with
    mixers across channels, and a linear head on all of its tokens. The backbone stays
    fixed. The default strategy, which leaves the network as it is, is faster and on
    nearly all data sets more accurate; TSLens can pay off where the interplay of channels
    matters and there are many series.

    Parameters
    ----------
    max_epochs : int, default=50
        Passes over the training series, at most.
    lr : float, default=0.005
        Peak learning rate. It rises over the first 30 % of the steps and falls to 0.
    batch_size : int, default=16
        Windows in a training step.
    mask_fraction : float, default=0.3
        Fraction of the points of a window hidden in training, in [0, 0.9]. It acts as
        regularisation.
    channel_expansion : int, default=1
        Virtual copies of each channel for the channel mixers to work with.
    head_width : int, default=1
        Width to which the head reduces each token.
    fine_tune_embeddings : bool, default=False
        Whether to train the patch embeddings, too.
    validation_fraction : float, default=0.2
        Fraction of the series held out for early stopping and calibration, in
        [0.01, 0.5].
    n_iter_no_change : int, default=25
        Epochs without a lower validation loss after which training stops.
    callbacks : list of skorch.callbacks.Callback, default=None
        Additional callbacks of the training loop. One that raises a KeyboardInterrupt
        makes ``fit`` fail, unless it is an exhausted ``EarlyStopping``.

    See Also
    --------
    TSPulseClassifier : Classifies series.
    TSPulseRegressor : Predicts numbers from series.

    Notes
    -----
    The channel mixers start as nearly the identity. The optimiser is AdamW. The weights
    with the lowest validation loss are kept. Validation series are spread evenly over
    the classes, or over the range of the first target; the only member of a class is
    never held out. The classifier computes the validation loss after temperature
    scaling, as probabilities are calibrated afterwards.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033,
       section 3.5.

    Examples
    --------
    >>> from sktspulse import TSLens, TSPulseClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(40, n_channels=2, random_state=0)
    >>> model = TSPulseClassifier(TSLens(max_epochs=2), random_state=0).fit(X, y)
    >>> model.n_iter_
    2
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_epochs": [_POSITIVE_INTEGER],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [_POSITIVE_INTEGER],
        "mask_fraction": [Interval(Real, 0, 0.9, closed="both")],
        "channel_expansion": [_POSITIVE_INTEGER],
        "head_width": [_POSITIVE_INTEGER],
        "fine_tune_embeddings": ["boolean"],
        "validation_fraction": [Interval(Real, 0.01, 0.5, closed="both")],
        "n_iter_no_change": [_POSITIVE_INTEGER],
        "callbacks": [list, None],
    }

    def __init__(
        self,
        max_epochs: int = 50,
        *,
        lr: float = 0.005,
        batch_size: int = 16,
        mask_fraction: float = 0.3,
        channel_expansion: int = 1,
        head_width: int = 1,
        fine_tune_embeddings: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 25,
        callbacks: Sequence[Any] | None = None,
    ) -> None:
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.mask_fraction = mask_fraction
        self.channel_expansion = channel_expansion
        self.head_width = head_width
        self.fine_tune_embeddings = fine_tune_embeddings
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks

"""Training without labels."""

from .augmentation import blend_and_flip, span_length
from .batches import masked_batch, random_mask
from .corpus import Corpus, WindowStream
from .display import TrainingDisplay
from .fine_tuning import FineTuner
from .losses import LOSS_WEIGHTS, PretrainingLoss
from .net import mixed_precision
from .optimizer import MAX_GRADIENT_NORM, MuonAdamW, split_parameters
from .options import OptimizerOptions, WindowSampling
from .pretrainer import TSPulsePretrainer
from .schedule import trapezoid

__all__ = [
    "LOSS_WEIGHTS",
    "MAX_GRADIENT_NORM",
    "Corpus",
    "FineTuner",
    "MuonAdamW",
    "OptimizerOptions",
    "PretrainingLoss",
    "TSPulsePretrainer",
    "TrainingDisplay",
    "WindowSampling",
    "WindowStream",
    "blend_and_flip",
    "masked_batch",
    "mixed_precision",
    "random_mask",
    "span_length",
    "split_parameters",
    "trapezoid",
]

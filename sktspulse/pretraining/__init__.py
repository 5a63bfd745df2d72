"""Training without labels."""

from .display import TrainingDisplay
from .fine_tuning import FineTuner
from .pretrainer import TSPulsePretrainer

__all__ = ["FineTuner", "TSPulsePretrainer", "TrainingDisplay"]

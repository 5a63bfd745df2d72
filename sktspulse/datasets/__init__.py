"""Synthetic and real time series for pre-training, examples and tests."""

from .loaders import load_sea_temperature
from .synthetic import FAMILIES, make_gappy_series, make_labelled_panel, make_series

__all__ = [
    "FAMILIES",
    "load_sea_temperature",
    "make_gappy_series",
    "make_labelled_panel",
    "make_series",
]

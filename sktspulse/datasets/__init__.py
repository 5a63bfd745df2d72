"""Synthetic and real time series for pre-training, examples and tests."""

from .loaders import (
    load_airport_weather,
    load_electrocardiogram,
    load_sea_temperature,
    load_vowels,
)
from .synthetic import FAMILIES, make_gappy_series, make_labelled_panel, make_series

__all__ = [
    "FAMILIES",
    "load_airport_weather",
    "load_electrocardiogram",
    "load_sea_temperature",
    "load_vowels",
    "make_gappy_series",
    "make_labelled_panel",
    "make_series",
]

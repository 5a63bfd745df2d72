"""Series to vectors."""

from .display import EmbeddingDisplay
from .embed import LENGTHS, Length, Vectors, count_windows, cut, embed, token_slices
from .transformer import TSPulseTransformer

__all__ = [
    "LENGTHS",
    "EmbeddingDisplay",
    "Length",
    "TSPulseTransformer",
    "Vectors",
    "count_windows",
    "cut",
    "embed",
    "token_slices",
]

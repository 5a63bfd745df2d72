"""Series to vectors."""

from .display import EmbeddingDisplay
from .embed import EmbeddingSpec, Windowing, context_windows, count_windows, embed_panel
from .transformer import TSPulseTransformer, embed_checked, fitted_transformer

__all__ = [
    "EmbeddingDisplay",
    "EmbeddingSpec",
    "TSPulseTransformer",
    "Windowing",
    "context_windows",
    "count_windows",
    "embed_checked",
    "embed_panel",
    "fitted_transformer",
]

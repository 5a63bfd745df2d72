"""Series to vectors."""

from .display import EmbeddingDisplay
from .embed import EmbeddingSpec, Windowing, context_windows, count_windows, embed_panel
from .transformer import TSPulseTransformer

__all__ = [
    "EmbeddingDisplay",
    "EmbeddingSpec",
    "TSPulseTransformer",
    "Windowing",
    "context_windows",
    "count_windows",
    "embed_panel",
]

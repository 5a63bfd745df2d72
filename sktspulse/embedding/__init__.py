"""Series to vectors.

What needs torch is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .embed import (
    EmbeddingSpec,
    Windowing,
    context_windows,
    count_windows,
    embed_panel,
    token_slices,
)

if TYPE_CHECKING:
    from .display import EmbeddingDisplay
    from .transformer import (
        TSPulseTransformer,
        embed_checked,
        fitted_transformer,
        transformer_parts,
    )

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
    "token_slices",
    "transformer_parts",
]

__getattr__ = on_first_use(
    __name__,
    {
        "display": "EmbeddingDisplay",
        "transformer": "TSPulseTransformer embed_checked fitted_transformer transformer_parts",
    },
)

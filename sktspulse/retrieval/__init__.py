"""Search for similar series."""

from .display import RetrievalDisplay
from .retriever import TSPulseRetriever

__all__ = ["RetrievalDisplay", "TSPulseRetriever"]

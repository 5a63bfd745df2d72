"""Search for similar series."""

from .display import RetrievalDisplay
from .entries import Entries
from .faiss_index import FaissIndex
from .inverted_lists import load_faiss
from .persistence import is_index
from .retriever import TSPulseRetriever
from .series_index import IndexSpec, SearchContext, SeriesIndex
from .vector_index import METRICS, STORES, VectorIndex, prepared
from .vectorizer import bridge_short_gaps

__all__ = [
    "METRICS",
    "STORES",
    "Entries",
    "FaissIndex",
    "IndexSpec",
    "RetrievalDisplay",
    "SearchContext",
    "SeriesIndex",
    "TSPulseRetriever",
    "VectorIndex",
    "bridge_short_gaps",
    "is_index",
    "load_faiss",
    "prepared",
]

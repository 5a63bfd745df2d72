"""Fitted estimators of any class from files."""

from .loading import load

__all__ = ["load"]

"""The command line: ``sktspulse`` and ``python -m sktspulse``."""

from .main import main

__all__ = ["main"]

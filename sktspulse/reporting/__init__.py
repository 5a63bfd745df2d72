"""Pages about recordings."""

from .page import render_page
from .recording import RecordingFindings, examine
from .reports import report

__all__ = ["RecordingFindings", "examine", "render_page", "report"]

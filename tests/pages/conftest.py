"""These tests read the built pages, in the folder that SKTSPULSE_PAGES names, or are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder() -> Path:
    if not os.environ.get("SKTSPULSE_PAGES"):
        pytest.skip("SKTSPULSE_PAGES does not name a folder with built pages")
    return Path(os.environ["SKTSPULSE_PAGES"]).resolve()

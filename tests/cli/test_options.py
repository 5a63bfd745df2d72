"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace

import pytest

from sktspulse.cli.options import estimator_options, fraction, positive, thread_count

OPTIONS = {"checkpoint": None, "device": "cpu", "jobs": 2, "quiet": False}


@pytest.mark.parametrize(
    ("is_terminal", "quiet", "verbose"), [(True, False, 1), (True, True, 0), (False, False, 0)]
)
def test_bars_are_for_terminals(monkeypatch, is_terminal, quiet, verbose):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    found = estimator_options(Namespace(**OPTIONS | {"quiet": quiet}))
    assert found == {"device": "cpu", "n_jobs": 2, "verbose": verbose}


def test_a_checkpoint_is_passed_on():
    assert estimator_options(Namespace(**OPTIONS | {"checkpoint": "a"}))["checkpoint"] == "a"


def test_numbers_have_ranges():
    assert positive("3") == 3
    assert fraction("0.5") == 0.5
    assert thread_count("-1") == -1
    for read, text in ((positive, "0"), (fraction, "1"), (fraction, "0"), (thread_count, "0")):
        with pytest.raises(argparse.ArgumentTypeError, match=text):
            read(text)

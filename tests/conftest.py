"""What every test runs under: no network, no display, the same examples each time.

The files ``naive*.py`` beside this one hold the slow twins; tests import them by name.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest
import torch

LOOPBACK = {"", "localhost", "127.0.0.1", "::1", None}


def pytest_configure(config: pytest.Config) -> None:
    """Set the process up before the first module, doctests included, is imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if not hasattr(config, "workerinput"):
        # Workers name files in the names of tests, which must be the same in all of them.
        os.environ["SKTSPULSE_TEST_FOLDER"] = tempfile.mkdtemp()
        if getattr(config.option, "numprocesses", None):
            os.environ.setdefault("OMP_NUM_THREADS", "1")  # in each worker
    os.environ.setdefault("MPLBACKEND", "Agg")
    hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
    hypothesis.settings.load_profile("repeatable")
    sys.addaudithook(refuse_network)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder after the last worker."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["SKTSPULSE_TEST_FOLDER"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the examples of adapters for libraries that are not installed."""
    for item in items:
        _, _, library = item.name.partition("sktspulse.adapters.for_")
        library = library.partition(".")[0]
        if library and importlib.util.find_spec(library) is None:
            item.add_marker(pytest.mark.skip(f"{library} is not installed"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Give every test, and every fixture made for it, the same untrained networks."""
    torch.manual_seed(0)


def refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """Let processes on this machine talk to each other and nothing else."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # a path: AF_UNIX
    else:
        return
    if (host.decode() if isinstance(host, bytes) else host) not in LOOPBACK:
        raise RuntimeError(f"Tests run offline, but this one tried to reach {host!r}.")


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Let tests interrupt themselves also where a shell started them in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def few_trees(monkeypatch):
    """Grow a tenth of the trees, for assertions that do not depend on how many there are."""
    monkeypatch.setattr("sktspulse.supervised.probe.trees._MAX_TREES", 20)
    monkeypatch.setattr("sktspulse.supervised.probe.trees._MIN_TREES", 5)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the public benchmark data, beside the checkout or where a variable says."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SKTSPULSE_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set SKTSPULSE_DATA to the folder with the data")
    return folder

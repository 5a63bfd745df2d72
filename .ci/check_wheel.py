"""Check a wheel from the outside: run in the environment it is installed in, in an empty folder."""

from __future__ import annotations

import contextlib
import re
import runpy
import sys
import zipfile
from pathlib import Path

import sktspulse

ALLOWED = re.compile(
    r"sktspulse/([\w/]+\.py|py\.typed|network/weights/[\w.-]+\.(safetensors|json|md)|datasets/data/[\w.-]+)"
    r"|sktspulse-[\d.]+\.dist-info/.+"
)
REQUIRED = (
    "sktspulse/py.typed",
    "sktspulse/network/weights/tspulse-p8.safetensors",
    "sktspulse/network/weights/tspulse-p16.safetensors",
)
MAX_BYTES = 10_000_000


def refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"the installed package tried to reach {arguments[1:]!r}")


def check_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    stray = [name for name in names if not ALLOWED.fullmatch(name)]
    absent = [name for name in REQUIRED if name not in names]
    licensed = any(name.endswith("LICENSE") for name in names)
    assert not stray, f"stray files in the wheel: {stray}"
    assert not absent, f"files missing from the wheel: {absent}"
    assert licensed, "the wheel carries no licence"
    assert wheel.stat().st_size < MAX_BYTES, f"the wheel has {wheel.stat().st_size:,} bytes"


def check_import() -> None:
    inside = Path(sktspulse.__file__).is_relative_to(sys.prefix)
    assert inside, f"imported {sktspulse.__file__}, which is not the installed wheel"
    for name in sktspulse.__all__:
        getattr(sktspulse, name)


def check_demonstration() -> None:
    sys.argv = ["sktspulse", "demo"]
    with contextlib.suppress(SystemExit):
        runpy.run_module("sktspulse", run_name="__main__")
    figures = list(Path.cwd().rglob("*.png"))
    assert figures, "python -m sktspulse demo wrote no figure"


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    check_files(Path(sys.argv[1]))
    check_import()
    check_demonstration()
    print("wheel: complete, imported, demonstrated offline")

"""Draw the first figure of the guide to reports: a photograph of a page, which takes Chromium."""

import subprocess
import tempfile
from pathlib import Path
from runpy import run_path

from figure_style import IMAGES
from PIL import Image

from sktspulse import TSPulseAnomalyDetector, report

TABLES = Path(__file__).parents[2] / "examples" / "data" / "make_tables.py"


def draw() -> None:
    """Write the page about the machine of the examples, and photograph its upper part."""
    path = IMAGES / "report.png"
    with tempfile.TemporaryDirectory() as folder:
        machine = run_path(str(TABLES))["make_machine"]()[0]
        machine = machine[["speed", "pressure", "flow", "oil_temperature", "vibration"]]
        page = Path(folder) / "machine.html"
        detector = TSPulseAnomalyDetector().fit(machine[:1800])
        report(machine, page, detector=detector, title="Machine")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        size = ["--window-size=720,1010", "--force-device-scale-factor=1.25"]
        command = ["chromium", *options, *size, f"--screenshot={path}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603, all of it is ours
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(40, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    draw()

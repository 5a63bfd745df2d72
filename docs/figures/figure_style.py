"""What the figures of the guide share: size, and colours that are safe for colour-blind readers."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

IMAGES = Path(__file__).parents[1] / "images" / "guide"
BLACK, ORANGE, BLUE, GREEN, PURPLE = "#222222", "#d55e00", "#0072b2", "#009e73", "#aa4499"
MARKERS = ("o", "^", "s", "D")

plt.rcParams.update(
    {
        "font.size": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "figure.dpi": 100,
        "savefig.dpi": 150,
        "svg.hashsalt": "sktspulse",
    }
)


def save(figure: Figure, name: str) -> None:
    """Write the figure as a PNG with a palette, which is a third of the size."""
    path = IMAGES / f"{name}.png"
    figure.savefig(path)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(64, method=Image.Quantize.MEDIANCUT)
    small.save(path, optimize=True)

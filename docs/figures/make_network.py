"""Draw the network of the page on theory.

    python docs/figures/make_network.py docs/figures/network.svg

The page includes the drawing as part of itself, so that its boxes are links and its colours
follow the theme. Without the theme, colours follow the settings of the reader.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT = 560, 694
STYLE = """
.tspulse-network { overflow-x: auto; margin: 1rem 0; }
.tspulse-network svg { min-width: 500px; width: 100%; max-width: 720px; height: auto; }
.tspulse-network {
  --ink: var(--pst-color-text-base, #1f2328); --quiet: var(--pst-color-text-muted, #57606a);
  --paper: var(--pst-color-background, #fff); --time: #0072b2; --frequency: #d55e00;
  --register: #008a5f;
}
html[data-theme="dark"] .tspulse-network {
  --time: #56b4e9; --frequency: #f5953d; --register: #35c796;
}
@media (prefers-color-scheme: dark) {
  html:not([data-theme]) .tspulse-network {
    --ink: #e6edf3; --quiet: #9da7b3; --paper: #121417; --time: #56b4e9; --frequency: #f5953d;
    --register: #35c796;
  }
}
.tspulse-network text { fill: var(--ink); font: 14px sans-serif; text-anchor: middle; }
.tspulse-network .code { font: 12px monospace; fill: var(--ink); }
.tspulse-network .note { fill: var(--quiet); font-size: 12px; }
.tspulse-network .left { text-anchor: start; }
.tspulse-network a { text-decoration: none; }
.tspulse-network a:hover rect, .tspulse-network a:focus rect { stroke-width: 3; }
.tspulse-network .equation { text-decoration: underline; }
.tspulse-network .plain { color: var(--quiet); }
.tspulse-network .time { color: var(--time); }
.tspulse-network .frequency { color: var(--frequency); }
.tspulse-network .register { color: var(--register); }
.tspulse-network rect { fill: currentColor; fill-opacity: 0.12; stroke: currentColor; }
.tspulse-network .token { fill-opacity: 0.55; stroke: none; }
.tspulse-network .line { fill: none; stroke: currentColor; stroke-width: 1.6; }
.tspulse-network .arrow { fill: none; stroke: var(--quiet); marker-end: url(#tspulse-tip); }
"""


def text(x: float, y: float, content: str, kind: str = "") -> str:
    """Return words in the middle of a point."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{content}</text>'


def arrow(*points: tuple[float, float]) -> str:
    """Return a line through some points that ends in an arrow."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline class="arrow" points="{path}"/>'


def box(
    corner: tuple[float, float],
    size: tuple[float, float],
    lines: Sequence[str],
    *,
    section: str,
    kind: str = "plain",
    equation: str = "",
) -> str:
    """Return a box that links to a section: a title, lines of `classes` and of words.

    ``equation`` is the number and the label of an equation, to which the last line links.
    """
    (x, y), (width, height) = corner, size
    middle, step = x + width / 2, 18
    top = y + height / 2 - step * (len(lines) + bool(equation) - 1) / 2 + 5
    parts = [f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>']
    for i, line in enumerate(lines):
        content = re.sub("`(.+?)`", r'<tspan class="code">\1</tspan>', line)
        is_title = i == 0 and not line.startswith("`")
        parts.append(text(middle, top + step * i, content, "" if is_title else "note"))
    linked = f'<a href="#{section}" class="{kind}">{"".join(parts)}</a>'
    if equation:
        number, _, label = equation.partition(" ")
        words = text(middle, top + step * len(lines), f"equation {number}", "note equation")
        linked += f'<a href="#equation-{label}">{words}</a>'
    return linked


def tokens(y: float) -> str:
    """Return a row of small squares for each kind of token."""
    kinds = (("time", 36, 8), ("frequency", 218, 8), ("register", 418, 6))
    squares = [
        f'<rect class="token {kind}" x="{x + 16 * i:g}" y="{y:g}" width="13" height="20" rx="2"/>'
        for kind, x, count in kinds
        for i in range(count)
    ]
    return "".join(squares)


def curve(x: float, y: float, values: Sequence[float], kind: str) -> str:
    """Return a curve that starts at a point."""
    path = " ".join(f"{x + 2.6 * i:.1f},{y - value:.1f}" for i, value in enumerate(values))
    return f'<polyline class="line {kind}" points="{path}"/>'


def window() -> str:
    """Return a sketch of a window whose middle is hidden."""
    values = [14 * math.sin(i / 5) + 5 * math.sin(i / 1.7) for i in range(60)]
    return "".join(
        [
            '<g class="plain"><rect x="16" y="10" width="160" height="66" rx="6"/>',
            '<rect x="80" y="14" width="28" height="58"/></g>',
            curve(19, 43, values[:24], "time"),
            curve(19 + 2.6 * 35, 43, values[35:], "time"),
            text(94, 48, "?"),
            text(96, 93, "window of 512 time points", "note"),
        ]
    )


def inputs() -> str:
    """Return everything in front of the backbone."""
    hide = ["Hide and scale", "`MaskToken`, `RevIN`"]
    spectrum = ["Spectrum", "`Spectrum`", "then `PatchEmbedding`"]
    size = (168, 84)
    return "".join(
        [
            window(),
            arrow((176, 43), (195, 43)),
            box((198, 10), (208, 66), hide, section="hide-and-scale", equation="1 eq-scale"),
            arrow((250, 76), (250, 105), (100, 105), (100, 117)),
            arrow((280, 76), (280, 117)),
            box((16, 120), size, ["Time", "`PatchEmbedding`"], section="tokens", kind="time"),
            box(
                (196, 120),
                size,
                spectrum,
                section="spectrum",
                kind="frequency",
                equation="2 eq-spectrum",
            ),
            box(
                (376, 120),
                size,
                ["Registers", "learned tokens"],
                section="tokens",
                kind="register",
            ),
            *(arrow((x, 204), (x, 219)) for x in (100, 280, 460)),
            tokens(223),
            *(arrow((x, 246), (x, 261)) for x in (100, 280, 460)),
        ]
    )


def layers() -> str:
    """Return the backbone and the decoder."""
    backbone = ["Backbone, 8 layers", "`Mixer` along tokens, then `Mixer` along the width"]
    decoder = ["Decoder, 2 layers", "the same, after a `ChannelMixer` if channels are mixed"]
    size = (528, 66)
    return "".join(
        [
            box((16, 264), size, backbone, section="mix", equation="3 eq-mixer"),
            *(arrow((x, 330), (x, 345)) for x in (100, 280, 460)),
            box((16, 348), size, decoder, section="decode", equation="4 eq-channels"),
            *(arrow((x, 414), (x, 429)) for x in (100, 280, 460)),
            tokens(433),
            text(382, 448, "embeddings", "note"),
        ]
    )


def heads() -> str:
    """Return the four heads."""
    heads = (
        ("time", 100, ["Window", "`PatchReadout`"], ""),
        ("frequency", 280, ["Spectrum", "`PatchReadout`"], ""),
        ("register", 440, ["Signature", "`RegisterHead`"], "5 eq-signature"),
        ("register", 480, ["Next 16 values", "`RegisterHead`"], ""),
    )
    parts = []
    for i, (kind, start, lines, equation) in enumerate(heads):
        x = 16 + 135 * i
        parts.append(arrow((start, 456), (x + 61, 480)))
        parts.append(box((x, 483), (123, 66), lines, section="heads", kind=kind, equation=equation))
    return "".join(parts)


def mixer() -> str:
    """Return what happens inside of a mixer, in a row below the network."""
    names = ("`LayerNorm`", "`MLP`", "`GatedAttention`", "Sum")
    notes = ("normalise", "mix", "weigh", "add the input")
    parts = [text(16, 590, "Inside a Mixer", "left")]
    for i, lines in enumerate(zip(names, notes, strict=True)):
        x = 36 + 130 * i
        parts.append(box((x, 606), (112, 46), lines, section="mix"))
        parts.append(arrow((x - 18 - 6 * (i == 0), 629), (x - 3, 629)))
    parts.append(arrow((22, 629), (22, 672), (482, 672), (482, 655)))
    parts.append(arrow((538, 629), (556, 629)))
    parts.append(text(252, 688, "residual connection", "note"))
    return "".join(parts)


def draw() -> str:
    """Return the drawing as HTML."""
    tip = (
        '<defs><marker id="tspulse-tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6z" style="fill: var(--quiet)"/>'
        "</marker></defs>"
    )
    label = "The network from the window through tokens, backbone and decoder to four heads"
    body = "\n".join([tip, inputs(), layers(), heads(), mixer()])
    return (
        f'<div class="tspulse-network"><style>{STYLE}</style>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{label}">\n{body}\n</svg></div>\n'
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(), "utf-8")

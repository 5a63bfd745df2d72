"""The page of a report: HTML that needs neither scripts, nor other files, nor a network."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

import numpy as np

from .figures import NARROW, WIDE, draw_svg, shown_channels
from .recording import RecordingFindings

__all__ = ["render_page"]

_MAX_ROWS = 50  # of a table
_HEADS = {
    "time": "unlike what the points around it suggest",
    "frequency": "unlike what the points around it suggest",
    "coarse": "unlike what a longer time around it suggests",
    "forecast": "unlike what the points before it suggest",
    "level": "unusual level",
    "variation": "unusual change from point to point",
    "channels": "does not fit the other channels",
    "states": "unusual combination of channels",
}
_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --page: #fff; --ink: #1d2330; --faint: #667085; --rule: #e2e5ea; --card: #f5f6f8;
  --line: #5b6575; --filled: #d55e00; --alarm: #b5179e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --ink: #e7eaf0; --faint: #929cab; --rule: #2c323b; --card: #1d2229;
    --line: #a3adbb; --filled: #ff9d47; --alarm: #ff6fd8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem;
  margin: 1.2rem 0; }
.facts div { padding: .6rem .8rem; border-radius: .4rem; background: var(--card); }
.facts dt, .note, caption { color: var(--faint); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: top; }
td.number { white-space: nowrap; }
td span { overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 500; }
.number { text-align: right; }
.filled, .alarm { font-weight: 600; }
.filled { color: var(--filled); }
.alarm { color: var(--alarm); }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, sans-serif !important; }
.narrow { display: none; }
@media (max-width: 40rem) {
  .narrow { display: block; }
  .wide, thead { display: none; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--rule); }
  td { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0;
    border: 0; text-align: right; white-space: normal; }
  td::before { content: attr(data-name); color: var(--faint); text-align: left; } }
@media print { .narrow { display: none; } .wide { display: block; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="note">$span</p>
<p>$summary</p>
<dl class="facts">
$facts
</dl>
<h2>Recording</h2>
<figure role="img" aria-label="Channels with filled gaps and alarms, above the score of each row">
<div class="wide">$wide</div>
<div class="narrow">$narrow</div>
<figcaption class="note">$caption</figcaption>
</figure>
<h2>Alarms</h2>
$alarms
<h2>Filled gaps</h2>
$gaps
<h2>Channels</h2>
$channels
<p class="note">Made by sktspulse $version. $method</p>
</body>
</html>
""")


def render_page(found: RecordingFindings, title: str) -> str:
    """Return the page about a recording."""
    n, n_shown = len(found.names), len(shown_channels(found))
    which = "" if n == n_shown else f" {n_shown} of {n} channels are shown."
    method = (
        "The recording was compared with itself, which finds rare anomalies only."
        if found.is_own_normal
        else "The recording was compared with the one that the detector was fitted on."
    )
    return _PAGE.substitute(
        title=escape(title),
        span=escape(_span(found)),
        summary=_summary(found),
        facts=_facts(found),
        wide=draw_svg(found, WIDE),
        narrow=draw_svg(found, NARROW),
        caption=(
            '<span class="filled">Filled</span> values, and <span class="alarm">alarms</span> in '
            "the channel that stands out most. Below, the score with the opposite sign; the line "
            f"is the threshold.{which}"
        ),
        alarms=_alarms(found),
        gaps=_gaps(found),
        channels=_channels(found),
        version=sys.modules[__name__.partition(".")[0]].__version__,
        method=method,
    )


def _span(found: RecordingFindings) -> str:
    ends = f"{found.label(0)} to {found.label(len(found.values) - 1)}"
    return ends if found.container.index is not None else f"Rows {ends}"


def _summary(found: RecordingFindings) -> str:
    """Say in a sentence or two what was found and filled."""
    n_filled, n_gaps = int(found.missing.sum()), len(found.gaps)
    gaps = f"{_counted(n_filled, 'value')} in {_counted(n_gaps, 'gap')} filled."
    if not len(found.segments):
        return f"No alarms. {gaps if n_filled else 'No value is missing.'}"
    worst = found.segments[found.segments["score"].argmin()]
    name, start = escape(found.names[worst["channel"]]), escape(found.label(int(worst["start"])))
    start = start if found.container.index is not None else f"row {start}"
    return (
        f"{_counted(len(found.segments), 'alarm')}; the strongest begins at {start} in {name}: "
        f"{_HEADS[str(worst['head'])]}. {gaps if n_filled else 'No value is missing.'}"
    )


def _facts(found: RecordingFindings) -> str:
    n_rows, n_channels = found.values.shape
    facts = [
        ("Rows", f"{n_rows:,}"),
        ("Channels", f"{n_channels:,}"),
        ("Missing values", f"{found.missing.mean():.2%}"),
        ("Filled gaps", f"{len(found.gaps):,}"),
        ("Alarms", f"{len(found.segments):,}"),
        ("Rows in alarms", f"{found.n_anomalies / n_rows:.2%}"),
    ]
    return "\n".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in facts)


def _alarms(found: RecordingFindings) -> str:
    if not len(found.segments):
        return f"<p>No score is below the threshold of {found.offset:g}.</p>"
    strongest = np.argsort(found.segments["score"], kind="stable")[:_MAX_ROWS]
    rows = [
        (
            found.label(int(one["start"])),
            found.label(int(one["end"]) - 1),
            f"{one['end'] - one['start']:,}",
            found.names[one["channel"]],
            f"{one['score']:.1f}",
            _HEADS[str(one["head"])],
        )
        for one in found.segments[np.sort(strongest)]
    ]
    head = ("First row", "Last row", "Rows#", "Channel", "Score#", "What stands out")
    note = f"Scores below {found.offset:g} are alarms; the lower, the stronger."
    return _table(head, rows, note, len(found.segments), "strongest")


def _gaps(found: RecordingFindings) -> str:
    gaps = found.gaps
    if not gaps:
        return "<p>No value is missing.</p>"
    longest = sorted(gaps, key=lambda gap: -gap.n_rows)[:_MAX_ROWS]
    rows = [
        (
            found.names[gap.channel],
            found.label(gap.start),
            found.label(gap.end - 1),
            f"{gap.n_rows:,}",
        )
        for gap in sorted(longest)
    ]
    return _table(("Channel", "First row", "Last row", "Rows#"), rows, "", len(gaps), "longest")


def _channels(found: RecordingFindings) -> str:
    rows = []
    for i, name in enumerate(found.names[:_MAX_ROWS]):
        known = found.values[~found.missing[:, i], i]
        ends = (
            (f"{x:.5g}" for x in (known.min(), np.median(known), known.max())) if len(known) else ()
        )
        n_alarms = sum(1 for _ in found.segments_of(i))
        cells = (*ends,) or ("",) * 3
        rows.append((name, f"{found.missing[:, i].mean():.2%}", *cells, f"{n_alarms:,}"))
    head = ("Channel", "Missing#", "Lowest#", "Median#", "Highest#", "Alarms#")
    return _table(head, rows, "", len(found.names), "first")


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], note: str, n_all: int, which: str
) -> str:
    """Return a table; columns of numbers have a name that ends in #."""
    kinds = {True: ' class="number"', False: ""}
    columns = [(name.rstrip("#"), kinds[name.endswith("#")]) for name in head]
    names = "".join(f"<th{kind}>{name}</th>" for name, kind in columns)
    body = "\n".join(f"<tr>{_cells(cells, columns)}</tr>" for cells in rows)
    more = f" The {_MAX_ROWS} {which} of {n_all:,}." if n_all > _MAX_ROWS else ""
    text = f'<p class="note">{note}{more}</p>' if note or more else ""
    return f'{text}<div class="scroll"><table><thead><tr>{names}</tr></thead>\n{body}</table></div>'


def _cells(texts: Sequence[str], columns: Sequence[tuple[str, str]]) -> str:
    """Return the cells of a row; on a phone, each has the name of its column before it."""
    return "".join(
        f'<td{kind} data-name="{name}"><span>{escape(text)}</span></td>'
        for text, (name, kind) in zip(texts, columns, strict=True)
    )


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

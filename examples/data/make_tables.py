"""Make the tables of the guide: a building, a machine, and gestures.

    python examples/data/make_tables.py FOLDER

building.csv      electricity, heating and outdoor temperature, each hour of ten weeks in local
                  time; cells are empty, rows are missing, and summer time ends
machine.csv       eight sensors of a machine, each second of an hour, with four faults
gestures.csv      300 labelled gestures, acceleration along three axes, a row for each moment
new_gestures.csv  40 more, without labels

All are synthetic, and the same each time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

ZONE = "Europe/Berlin"
KINDS = ("circle", "shake", "swipe", "tap")
FAULTS = {  # seconds after the start
    "pressure": (1950, 2040),
    "vibration": (2400, 2460),
    "flow": (2850, 2970),
    "oil_temperature": (3300, 3340),
}


def make_building(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table, and what it would be without gaps, both with an index of local time."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-09-02", "2024-11-11", freq="h", tz=ZONE, inclusive="left")
    clock, n = hours.hour.to_numpy(), len(hours)
    is_open = (clock >= 7) & (clock < 19) & (hours.day_of_week < 5)
    season = np.linspace(17, 6, n)
    weather = pd.Series(rng.normal(size=n)).ewm(alpha=0.03).mean().to_numpy() * 12
    outdoor = season + weather + 4 * np.sin((clock - 9) / 12 * np.pi) + rng.normal(size=n) * 0.2
    usage = pd.Series(np.where(is_open, 48.0, 14.0)).ewm(alpha=0.6).mean().to_numpy()
    heating = np.clip(16 - outdoor, 0, None) * np.where(is_open, 3.2, 1.9)
    truth = pd.DataFrame(
        {
            "electricity_kwh": usage + 0.15 * heating + rng.normal(size=n) * 1.2,
            "heating_kwh": (heating + rng.normal(size=n) * (heating > 0)).clip(0),
            "outdoor_c": outdoor,
        },
        index=hours.rename("time"),
    ).round(1)
    table = truth.copy()
    for column, length, count in ((0, 30, 4), (1, 18, 5), (2, 8, 6)):
        for start in rng.integers(100, n - 100, count):
            table.iloc[start : start + length, column] = np.nan
    outages = np.r_[400:412, 900:905, 1100:1101]  # the logger was off: rows are missing
    return table.drop(index=hours[outages]), truth


def make_machine(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the table, with an index of time, and which rows are faulty."""
    rng = np.random.default_rng(seed)
    n, before = 3600, 2000  # seconds, and those in which the oil warms up
    t = np.arange(-before, n)
    load = 0.5 - 0.5 * np.cos(2 * np.pi * t / 60) + 0.2 * (t % 60 > 45)  # one part a minute
    load = load * (1 + 0.1 * np.sin(t / 700))
    warmth = pd.Series(load).ewm(alpha=0.004).mean().to_numpy()[before:]
    load = load[before:]
    clean = {
        "speed": 1450 - 60 * load,
        "torque": 40 + 55 * load,
        "current": 6 + 8 * load,
        "power": 4 + 7.5 * load,
        "pressure": 5.5 - 0.8 * load,
        "flow": 22 + 6 * np.roll(load, 3),
        "oil_temperature": 46 + 12 * warmth,
        "vibration": 1 + 0.6 * load,
    }
    noise = (4, 1, 0.15, 0.12, 0.03, 0.3, 0.05, 0.1)
    columns = zip(clean.items(), noise, strict=True)
    table = pd.DataFrame({name: x + rng.normal(size=n) * s for (name, x), s in columns})
    leak, burst, freeze, drift = (slice(*span) for span in FAULTS.values())
    table.loc[leak.start : leak.stop - 1, "pressure"] -= 0.5
    table.loc[burst.start : burst.stop - 1, "vibration"] += 0.8 * np.abs(rng.normal(size=60))
    table.loc[freeze.start : freeze.stop - 1, "flow"] = table["flow"][freeze.start]
    table.loc[drift.start : drift.stop - 1, "oil_temperature"] += 3
    is_faulty = np.zeros(n, dtype=bool)
    for start, end in FAULTS.values():
        is_faulty[start:end] = True
    seconds = pd.date_range("2025-03-03 06:00", periods=n, freq="s", name="time")
    return table.round(2).set_axis(seconds), is_faulty


def make_gestures(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return a long table: id, seconds since the start, kind, and acceleration along three axes."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(n):
        kind = KINDS[rng.integers(len(KINDS))]
        length = int(rng.integers(50, 90))
        values = _gesture(kind, np.linspace(0, 1, length), rng) + rng.normal(size=(length, 3)) * 0.5
        part = pd.DataFrame(values.round(2), columns=["x", "y", "z"])
        part.insert(0, "kind", kind)
        part.insert(0, "time", (np.arange(length) / 50).round(2))
        part.insert(0, "id", f"g{i:03d}")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _gesture(kind: str, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    strength, phase = rng.uniform(0.7, 1.5), rng.uniform(0, 2 * np.pi)
    turns = rng.uniform(0.9, 1.6) * 2 * np.pi
    centre, width = rng.uniform(0.35, 0.65), rng.uniform(0.06, 0.12)
    pulse = np.exp(-(((t - centre) / width) ** 2))
    axes = {
        "circle": (np.cos(turns * t + phase), np.sin(turns * t + phase), 0.2 * t),
        "shake": (np.sin(4.5 * turns * t + phase), 0.2 * t, 0.3 * np.sin(4.5 * turns * t)),
        "swipe": (-np.gradient(pulse) * 8, 0.3 * pulse, 0.1 * t),
        "tap": (0.1 * t, 0.2 * pulse, pulse - np.roll(pulse, 5)),
    }
    gravity = np.array([rng.normal() * 0.3, rng.normal() * 0.3, 1.0])
    return strength * np.stack(axes[kind], axis=1) + gravity


def write_tables(folder: Path) -> None:
    """Write all tables, with local time as a logger writes it: without its offset."""
    folder.mkdir(parents=True, exist_ok=True)
    make_building()[0].tz_localize(None).to_csv(folder / "building.csv")
    make_machine()[0].to_csv(folder / "machine.csv")
    make_gestures().to_csv(folder / "gestures.csv", index=False)
    unknown = make_gestures(40, seed=1).drop(columns="kind")
    unknown.to_csv(folder / "new_gestures.csv", index=False)


if __name__ == "__main__":
    write_tables(Path(sys.argv[1] if len(sys.argv) > 1 else "."))

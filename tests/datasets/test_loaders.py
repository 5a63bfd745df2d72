from __future__ import annotations

from pathlib import Path

import numpy as np

from sktspulse.datasets import (
    load_airport_weather,
    load_electrocardiogram,
    load_sea_temperature,
    load_vowels,
    loaders,
)


def test_sea_temperature_is_complete_monthly_and_plausible():
    recording, months = load_sea_temperature()
    assert recording.shape == (732, 1)
    assert recording.dtype == np.float64
    assert months.dtype == "datetime64[M]"
    assert str(months[0]) == "1950-01"
    assert (np.diff(months) == np.timedelta64(1, "M")).all()
    assert 18 < recording.min() < recording.max() < 30  # [°C]


def test_sea_temperature_has_a_yearly_cycle():
    recording, _ = load_sea_temperature()
    spectrum = np.abs(np.fft.rfft(recording[:, 0] - recording.mean()))
    assert spectrum.argmax() == 61  # years


def test_each_call_returns_arrays_of_its_own():
    first, _ = load_sea_temperature()
    first[:] = np.nan
    assert np.isfinite(load_sea_temperature()[0]).all()


def test_weather_is_hourly_plausible_and_gappy():
    recording, hours, names = load_airport_weather()
    assert recording.shape == (8730, 5) == (len(hours), len(names))
    assert (np.diff(hours) == np.timedelta64(1, "h")).all()
    assert np.isnan(recording).any(axis=0).all()
    temperature, dew_point, humidity, wind, pressure = recording.T
    assert -30 < np.nanmin(dew_point) < np.nanmax(temperature) < 40  # [°C]
    assert 0 <= np.nanmin(humidity) <= np.nanmax(humidity) <= 100
    assert 970 < np.nanmin(pressure) < np.nanmax(pressure) < 1050  # [hPa]
    assert np.flatnonzero(wind > 40).tolist() == [np.flatnonzero(wind == np.nanmax(wind))[0]]
    assert str(hours[np.nanargmax(wind)]) == "2013-02-12T08"


def test_broad_beats_differ_from_narrow_ones():
    recording, peaks, is_broad = load_electrocardiogram()
    assert recording.shape == (27000, 1)
    assert (np.diff(peaks) > 22).all()  # a quarter of a second
    beats = np.stack([recording[p - 30 : p + 40, 0] for p in peaks if 30 < p < 26960])
    kept = is_broad[[30 < p < 26960 for p in peaks]]
    after = beats[:, 42:55].mean(axis=1) - beats[:, :20].mean(axis=1)
    assert after[kept].mean() < after[~kept].mean() - 0.4  # [mV]


def test_vowels_are_balanced_and_of_unequal_length():
    X, y = load_vowels()
    assert np.bincount(y).tolist() == [0] + [38] * 9
    assert np.bincount(y[:270]).tolist() == [0] + [30] * 9
    assert {x.shape[0] for x in X} == {12}
    assert [min(x.shape[1] for x in X), max(x.shape[1] for x in X)] == [7, 29]
    X[0][:] = np.nan
    assert np.isfinite(load_vowels()[0][0]).all()


def test_files_are_small_and_described():
    folder = Path(loaders.__file__).with_name("data")
    described = (folder / "README.md").read_text()
    for path in folder.glob("*.csv*"):
        assert path.stat().st_size < 100_000
        assert f"`{path.name}`" in described

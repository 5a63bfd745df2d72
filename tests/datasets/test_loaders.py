from __future__ import annotations

import numpy as np

from sktspulse.datasets import load_sea_temperature


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

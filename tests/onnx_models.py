"""Export estimators and load them again."""

from __future__ import annotations

import numpy as np

import sktspulse


def exported(estimator, folder, name="model"):
    """Return the exported estimator."""
    path = folder / f"{name}.onnx"
    sktspulse.export_onnx(estimator, path)
    return sktspulse.onnx.load(path, n_threads=1)


def assert_same(found, expected, tolerance=1e-5):
    """Compare relative to the largest answer; missing answers are at the same places."""
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    size = np.nanmax(np.abs(expected), initial=1e-300)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size)

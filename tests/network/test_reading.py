"""Networks of two kinds answer through the same functions."""

from __future__ import annotations

import numpy as np
import torch

from sktspulse.network import TSPulse, TSPulseConfig
from sktspulse.network.reading import Heads, infer, reconstruct

CONFIG = TSPulseConfig(context_length=64, n_signature_bins=0, n_layers=1)


class Elsewhere:
    """A network that answers with the first value of each window, and remembers what it got."""

    config = CONFIG

    def read_rows(self, rows, read, batch_size):
        self.asked = rows.shape, read.outputs, batch_size
        ones = np.ones((1, CONFIG.context_length), np.float32)
        return read.join([rows[:, :1].astype(np.float32) * ones for _ in read.outputs])


def draw_rows(n):
    return np.random.default_rng(0).normal(size=(n, 64)) * 3 + 5


def test_a_network_outside_of_torch_is_asked_for_what_it_names():
    network, rows = Elsewhere(), draw_rows(3)
    answer = infer(network, rows, Heads(("time", "frequency")), batch_size=2)
    assert network.asked == ((3, 64), ("time", "frequency"), 2)
    np.testing.assert_array_equal(answer, np.tile(rows[:, None, :1].astype(np.float32), (2, 64)))


def test_its_reconstructions_are_in_the_units_of_the_windows():
    rows = draw_rows(3)
    rows[1], rows[2] = 4.0, np.nan
    answer = reconstruct(Elsewhere(), rows, ["time"], batch_size=2)
    np.testing.assert_allclose(answer[0], rows[:1, :1] * np.ones((1, 64)), rtol=1e-6)
    np.testing.assert_array_equal(answer[1], np.full((1, 64), 4.0))
    assert np.isnan(answer[2]).all()


def test_heads_read_a_network_of_torch():
    network = TSPulse(CONFIG).eval()
    x = torch.from_numpy(draw_rows(2)).float()[:, None]
    observed = torch.ones_like(x, dtype=torch.bool)
    answer = Heads(("time", "frequency"))(network, x, observed)
    prediction = network(x, observed)
    expected = torch.cat([prediction.in_units(name) for name in ("time", "frequency")], 1)
    assert torch.equal(answer, expected)

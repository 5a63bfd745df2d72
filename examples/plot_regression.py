"""
Predict a number with its interval
==================================

A flywheel runs down. Its vibration tells how much it has slowed. Each prediction comes with a
standard deviation, and so with an interval that should hold 90 % of the targets.
"""

# %%
# The data
# --------
# Recordings are made: they start anywhere in a turn, are noisy, and have 150 to 400 time points.
# 160 are for fitting, 80 for the test.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestRegressor

from sktspulse import TSPulseRegressor

rng = np.random.default_rng(0)


def draw(slowing):
    """Draw the vibration of a wheel whose speed falls to ``1 - slowing`` of what it was."""
    time = np.linspace(0, 1, rng.integers(150, 400))
    phase = rng.uniform(0, 6.28) + 60 * (time - slowing * time**2 / 2)
    return (np.sin(phase) + 0.5 * rng.normal(size=len(time)))[None]


slowing = rng.uniform(0, 0.9, 240)
X = [draw(one) for one in slowing]
train, test = slice(0, 160), slice(160, None)

# %%
# Beside two baselines
# --------------------
# A forest on the first 30 coefficients of the amplitude spectrum, and the mean of the targets. The
# forest is as good, because this target shows in the spectrum. It gives no interval.
model = TSPulseRegressor().fit(X[train], slowing[train])
predicted, std = model.predict(X[test], return_std=True)
spectra = np.array([np.abs(np.fft.rfft(one[0]))[:30] / one.shape[1] for one in X])
forest = RandomForestRegressor(random_state=0).fit(spectra[train], slowing[train])
answers = {
    "TSPulseRegressor": predicted,
    "random forest on spectra": forest.predict(spectra[test]),
    "mean of the targets": np.full(80, slowing[train].mean()),
}
for name, answer in answers.items():
    print(f"{name:<26}mean error {np.abs(answer - slowing[test]).mean():.3f}")

# %%
# The intervals
# -------------
# Of a normal distribution, 90 % lies within 1.645 standard deviations.
half = 1.645 * std
inside = np.abs(predicted - slowing[test]) < half
print(f"{inside.mean():.0%} of the targets lie in their interval, 90% are expected")

# %%
# The figure
# ----------
# Left, a wheel that hardly slows and one that nearly stops. Right, predictions in order of the
# target, with their intervals.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for shift, i in enumerate((np.argmin(slowing), np.argmax(slowing))):
    time = np.linspace(0, 1, X[i].shape[1])
    left.plot(time, X[i][0] - 4 * shift, color=("#009e73", "#cc79a7")[shift], lw=0.8)
    left.text(0, 2 - 4 * shift, f"slowed by {slowing[i]:.0%}")
left.set(xlabel="share of the recording", yticks=[], ylabel="vibration")
order = np.argsort(slowing[test])
right.errorbar(
    np.arange(80),
    predicted[order],
    half[order],
    fmt=".",
    color="#d55e00",
    ecolor="#f0b48c",
    label="prediction with 90 % interval",
)
right.plot(slowing[test][order], color="#0072b2", lw=2, label="truth")
right.set(xlabel="test recording, in order of the target", ylabel="share by which it slowed")
_ = right.legend(loc="upper left", fontsize="small")

"""
Numbers from series, with their errors
======================================

The target is how fast a rhythm slows down, whatever its phase, its noise and its length. With each
prediction comes the deviation of the errors that were made on series left out.
"""

import matplotlib.pyplot as plt
import numpy as np

from sktspulse import TSPulseRegressor

rng = np.random.default_rng(0)


def draw(slowing):
    """Draw a rhythm of any length whose pace falls to ``1 - slowing`` of what it was."""
    time = np.linspace(0, 1, rng.integers(150, 400))
    phase = rng.uniform(0, 6.28) + 60 * (time - slowing * time**2 / 2)
    return (np.sin(phase) + 0.5 * rng.normal(size=len(time)))[None]


slowing = rng.uniform(0, 0.9, 240)
X = [draw(one) for one in slowing]

# %%
# 160 series to learn from, 80 to be told.
model = TSPulseRegressor().fit(X[:160], slowing[:160])
predicted, std = model.predict(X[160:], return_std=True)
errors = np.abs(predicted - slowing[160:])
print(f"R2 {model.score(X[160:], slowing[160:]):.3f}")
print(f"within 1.645 deviations: {np.mean(errors < 1.645 * std):.0%}, expected 90%")

# %%
# Left, a series that hardly slows down and one that does; right, predictions with bars that should
# cover 90 % of the targets.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for shift, i in enumerate((np.argmin(slowing), np.argmax(slowing))):
    left.plot(X[i][0] - 4 * shift, color=f"C{shift}", linewidth=0.8, label=f"{slowing[i]:.2f}")
left.set(xlabel="time point", yticks=[])
left.legend(title="slows down by", loc="upper right")
right.errorbar(slowing[160:], predicted, yerr=1.645 * std, fmt="o", markersize=3, linewidth=0.8)
right.axline((0, 0), slope=1, color="gray", linewidth=0.8)
_ = right.set(xlabel="target", ylabel="prediction", aspect="equal")

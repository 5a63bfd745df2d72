"""
Run a fitted classifier without torch
=====================================

A fitted estimator is exported to one ONNX file. A server or an edge device reads it with
onnxruntime and NumPy. Its answers are those of the estimator, up to rounding. This example needs
``pip install "sktspulse[onnx]"``.
"""

# %%
# Fit and compare
# ---------------
# Heartbeats are to be told apart: normal ones from broad ones. The classifier is fitted to the
# first 100 beats. The baseline is the nearest neighbour among the standardised beats.
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

import sktspulse
from sktspulse.datasets import load_electrocardiogram

recording, peaks, is_broad = load_electrocardiogram()
complete = (peaks > 30) & (peaks < len(recording) - 50)
peaks, is_broad = peaks[complete], is_broad[complete]
beats = np.stack([recording[peak - 20 : peak + 40, 0] for peak in peaks])
train, test = slice(0, 100), slice(100, None)

model = sktspulse.TSPulseClassifier().fit(beats[train], is_broad[train])
probability = model.predict_proba(beats[test])[:, 1]
standardised = (beats - beats.mean(1, keepdims=True)) / beats.std(1, keepdims=True)
nearest = KNeighborsClassifier(1).fit(standardised[train], is_broad[train])
answers = {"TSPulseClassifier": probability > 0.5, "1-NN": nearest.predict(standardised[test])}
for name, answer in answers.items():
    print(f"{name:<20}balanced accuracy {balanced_accuracy_score(is_broad[test], answer):.3f}")

# %%
# Export and load
# ---------------
# :func:`sktspulse.export_onnx` writes the file, :func:`sktspulse.onnx.load` reads it. Without the
# packages, this part is left out.
if find_spec("onnx") and find_spec("onnxruntime"):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "beats.onnx"
        sktspulse.export_onnx(model, path)
        megabytes = path.stat().st_size / 1e6
        exported = sktspulse.onnx.load(path)
        from_file = exported.predict_proba(beats[test])[:, 1]
    print(f"{megabytes:.1f} MB, largest difference {np.abs(from_file - probability).max():.0e}")
else:
    from_file = probability
    print('Nothing was exported: install onnx and onnxruntime with pip install "sktspulse[onnx]".')

# %%
# The figure
# ----------
# Left, the probabilities of both, which lie on the diagonal. Right, the two beats about which the
# classifier is least sure.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for kind, colour, marker in ((False, "#0072b2", "o"), (True, "#d55e00", "^")):
    of_it = is_broad[test] == kind
    label = "broad" if kind else "normal"
    left.scatter(
        probability[of_it], from_file[of_it], color=colour, marker=marker, label=label, alpha=0.6
    )
left.axline((0, 0), slope=1, color="0.5", lw=0.8)
left.set(xlabel="probability of a broad beat, torch", ylabel="probability, ONNX file")
left.legend()
for one in np.argsort(np.abs(probability - 0.5))[:2]:
    right.plot((np.arange(60) - 20) / 90, beats[test][one], label=f"{probability[one]:.0%} broad")
right.set(xlabel="time from the peak [s]", ylabel="voltage [mV]", title="least certain beats")
_ = right.legend()

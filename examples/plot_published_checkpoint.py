"""
Load a published checkpoint
===========================

Published TSPulse models are a folder with two files, ``config.json`` and ``model.safetensors``. The
parameter ``checkpoint`` of every estimator takes such a folder, or the name of a model on the
Hugging Face hub.
"""

# %%
# A folder in the published format
# --------------------------------
# With a connection, ``checkpoint="ibm-granite/granite-timeseries-tspulse-r1"`` would do, and this
# section could go. These pages are built offline. So the weights that ship are written in the
# published format, with the names that the published implementation uses.
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.torch import save_file

from sktspulse import ImputationDisplay, TSPulseImputer
from sktspulse.datasets import load_sea_temperature
from sktspulse.network import load_checkpoint
from sktspulse.network.granite import granite_layout

settings = {
    "model_type": "tspulse",
    "context_length": 512,
    "patch_length": 8,
    "patch_stride": 8,
    "mask_block_length": 8,
    "mask_type": "user",
    "d_model": 24,
    "decoder_d_model": 24,
    "num_layers": 8,
    "decoder_num_layers": 2,
    "patch_register_tokens": 10,
    "register_mixer_layers": 3,
    "minimum_scale": 0.001,
    "fuse_fft": True,
    "fft_prob_mode": "log",
    "fft_time_add_forecasting_pt_loss": True,
    "prediction_length": 16,
}
network = load_checkpoint("tspulse-p8")
weights = network.state_dict()
shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
layout = granite_layout(shapes, network.config, settings)
folder = TemporaryDirectory()
tensors = {new: weights[old].reshape(shape) for old, (new, shape) in layout.items()}
save_file(
    {name: one.contiguous() for name, one in tensors.items()}, f"{folder.name}/model.safetensors"
)
Path(folder.name, "config.json").write_text(json.dumps(settings))
for path in sorted(Path(folder.name).iterdir()):
    print(f"{path.name:<20}{path.stat().st_size / 1000:>8.1f} kB")

# %%
# Use it
# ------
# A setting that the network does not have is refused by its name, so a checkpoint gives the
# published answers or an error. Here four spans of two years are hidden in the temperature of the
# sea.
recording, months = load_sea_temperature()
gappy = recording.copy()
for year in (1956, 1971, 1988, 2003):
    first = np.flatnonzero(months == np.datetime64(f"{year}-03"))[0]
    gappy[first : first + 24] = np.nan
hidden = np.isnan(gappy)

filled, std = (
    TSPulseImputer(checkpoint=folder.name, random_state=0)
    .fit(gappy)
    .transform(gappy, return_std=True)
)
shipped = TSPulseImputer(random_state=0).fit_transform(gappy)
folder.cleanup()
print(f"largest difference from the shipped file: {np.abs(filled - shipped).max():.0e} °C")

# %%
# Beside two baselines
# --------------------
# A line between the edges, and the mean of the same month in all other years. In a series with so
# strong a season the second is as good, but it has to know the season.
known = ~hidden[:, 0]
line = np.interp(np.arange(len(gappy)), np.flatnonzero(known), gappy[known, 0])
by_month = gappy[:, 0].reshape(-1, 12)
climate = np.tile(np.nanmean(by_month, axis=0), len(by_month))
for name, values in {
    "published format": filled[:, 0],
    "mean of the month": climate,
    "linear interpolation": line,
}.items():
    error = (values - recording[:, 0])[~known]
    print(f"{name:<22}RMSE {np.sqrt(np.mean(error**2)):.2f} °C")

# %%
# The figure
# ----------
shown = slice(36, 132)
display = ImputationDisplay.from_predictions(
    gappy[shown], filled[shown], std[shown], index=months[shown].astype("datetime64[D]")
)
axis = display.ax_
axis.plot(
    months[shown].astype("datetime64[D]"),
    recording[shown, 0],
    color="#0072b2",
    ls=":",
    label="truth",
)
axis.plot(
    months[shown].astype("datetime64[D]"),
    np.where(hidden, climate[:, None], np.nan)[shown],
    color="#009e73",
    label="mean of the month",
)
axis.set(xlabel="", ylabel="sea temperature [°C]")
_ = axis.legend(fontsize="small", loc="upper right")

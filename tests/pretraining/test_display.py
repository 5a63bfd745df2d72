"""Curves show the history, one panel for each loss."""

from __future__ import annotations

import copy
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from sktspulse import OptimizerOptions, TrainingDisplay, TSPulseConfig, TSPulsePretrainer
from sktspulse.datasets import make_series

HEADS = ["time", "frequency", "spectrum", "signature", "forecast"]
LOSSES = ["loss", *HEADS, "agreement", "alignment"]


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training") / "run"


@pytest.fixture(scope="module")
def pretrainer(folder):
    small = TSPulseConfig(context_length=64, d_model=8, n_layers=1, n_signature_bins=32)
    sizes = {"max_epochs": 3, "steps_per_epoch": 2, "batch_size": 4}
    estimator = TSPulsePretrainer(
        small, **sizes, path=folder, optimizer=OptimizerOptions(warmup_steps=2), random_state=0
    )
    return estimator.fit(make_series(10, 200, random_state=0))


def made_up(n_epochs: int, **losses):
    lists = {"seconds": [2.0] * n_epochs, "windows_per_second": [50.0] * n_epochs}
    rates = {"lr": [1e-3] * n_epochs}
    return {"epoch": [*range(n_epochs)], "n_steps": [*range(n_epochs)], **losses, **rates, **lists}


def test_what_is_drawn_is_the_history(pretrainer):
    display = TrainingDisplay.from_estimator(pretrainer)
    history = pretrainer.history_
    assert list(display.losses) == LOSSES
    for name, line, ax in zip(LOSSES, display.lines_, display.axes_, strict=True):
        assert line.axes is ax
        assert ax.get_title(loc="left") == name
        assert ax.get_title(loc="right") == f"{history[name][-1]:.4g}"
        np.testing.assert_array_equal(line.get_ydata(), history[name])
        np.testing.assert_array_equal(line.get_xdata(), np.multiply(history["n_steps"], 4))


def test_the_file_of_a_run_and_the_history_in_memory_are_drawn_alike(pretrainer, folder):
    ours = TrainingDisplay.from_estimator(pretrainer)
    for path in (folder / "history.csv", str(folder / "history.csv")):
        theirs = TrainingDisplay.from_history(path)
        assert list(theirs.losses) == list(ours.losses)
        for one, other in zip(ours.lines_, theirs.lines_, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


def test_the_input_is_left_alone_and_not_kept(pretrainer):
    history = copy.deepcopy(pretrainer.history_)
    display = TrainingDisplay.from_history(history)
    assert history == pretrainer.history_
    arrays = made_up(3, loss=np.array([3.0, 2.0, 1.0]))
    display = TrainingDisplay.from_history(arrays)
    arrays["loss"][:] = 0
    np.testing.assert_array_equal(display.losses["loss"], [3, 2, 1])


def test_the_shade_is_the_learning_rate_relative_to_its_peak():
    history = made_up(4, loss=[4.0, 3.0, 2.0, 1.0]) | {"lr": [1e-3, 2e-3, 2e-3, 5e-4]}
    ax = TrainingDisplay.from_history(history).axes_[0]
    outline = ax.collections[0].get_paths()[0].vertices
    for n_windows, height in zip([100, 200, 300, 400], [0.5, 1, 1, 0.25], strict=True):
        assert outline[outline[:, 0] == n_windows, 1].max() == height
    assert ax.collections[0].get_transform().transform((0, 1))[1] == ax.bbox.y1
    assert [text.get_text() for text in ax.texts] == ["learning rate, up to 0.002"]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40))
def test_all_but_the_first_tenth_is_in_sight(values):
    ax = TrainingDisplay.from_history(made_up(len(values), loss=values)).axes_[0]
    low, high = ax.get_ylim()
    settled = values[len(values) // 10 :]
    assert low <= min(settled)
    assert max(settled) <= high
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] >= 100 * len(values)
    plt.close("all")


def test_a_first_fall_does_not_flatten_the_rest():
    values = np.r_[1e6, np.linspace(2, 1, 19)]
    ax = TrainingDisplay.from_history(made_up(20, loss=values)).axes_[0]
    assert ax.get_ylim()[1] < 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, LOSSES), ("time", ["time"]), (("agreement", "loss"), ["agreement", "loss"])],
)
def test_losses_come_in_the_order_asked_for(pretrainer, asked, expected):
    display = TrainingDisplay.from_estimator(pretrainer, losses=asked)
    assert [ax.get_title(loc="left") for ax in display.axes_] == expected


@pytest.mark.parametrize("n", range(1, 10))
def test_every_column_of_panels_is_labelled_at_its_bottom(n):
    losses = {f"loss {i}": [2.0, 1.0] for i in range(n)}
    display = TrainingDisplay.from_history(made_up(2, **losses))
    cells = [ax.get_subplotspec() for ax in display.axes_]
    for ax, cell in zip(display.axes_, cells, strict=True):
        below = [one for one in cells if one.colspan == cell.colspan]
        is_lowest = cell.rowspan == max((one.rowspan for one in below), key=lambda rows: rows[0])
        assert ax.get_xlabel() == ("windows seen" if is_lowest else "")
    assert len({(cell.rowspan, cell.colspan) for cell in cells}) == n


def test_one_figure_is_made_and_only_when_no_axes_are_given(pretrainer):
    TrainingDisplay.from_estimator(pretrainer)
    assert len(plt.get_fignums()) == 1
    _, axes = plt.subplots(3, 3)
    before = plt.get_fignums()
    TrainingDisplay.from_estimator(pretrainer, losses="loss", ax=axes[0, 0])
    TrainingDisplay.from_estimator(pretrainer, ax=axes.flat[1:])
    assert plt.get_fignums() == before


def test_one_loss_takes_one_axes(pretrainer):
    figure, (left, _) = plt.subplots(1, 2)
    display = TrainingDisplay.from_estimator(pretrainer, losses="loss", ax=left)
    assert display.axes_[0] is left
    assert display.figure_ is figure


def test_every_loss_takes_one_of_the_axes_given(pretrainer):
    figure, axes = plt.subplots(2, 2)
    display = TrainingDisplay.from_estimator(pretrainer, losses=LOSSES[:4], ax=axes)
    assert list(display.axes_) == list(axes.flat)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="axes has 4 axes, but 8 are drawn on"):
        TrainingDisplay.from_estimator(pretrainer, ax=axes)


def test_curves_take_a_style_and_are_drawn_again(pretrainer):
    display = TrainingDisplay.from_estimator(pretrainer, c="k", ls=":", markevery=None)
    assert {line.get_linestyle() for line in display.lines_} == {":"}
    assert {line.get_color() for line in display.lines_} == {"k"}
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert len(display.lines_) == len(LOSSES)


def test_before_fit_there_is_nothing_to_draw():
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(TSPulsePretrainer())


@pytest.mark.parametrize(
    ("history", "losses", "message"),
    [
        ({}, None, "history has no epoch"),
        (made_up(0, loss=[]), None, "history has no epoch"),
        ({"loss": [1.0], "lr": [1.0]}, None, r"lacks \['seconds', 'windows_per_second'\]"),
        (
            made_up(1, loss=[1.0]),
            ["lss"],
            r"losses is \['lss'\], but must name some of the losses \['loss'\]",
        ),
        (made_up(1, loss=[1.0]), "lr", "losses is 'lr', but must name"),
        (made_up(1, loss=[1.0]), [], r"losses is \[\], but must name"),
        (made_up(1), None, "losses is None, but must name"),
    ],
)
def test_histories_that_cannot_be_drawn_are_refused(history, losses, message):
    with pytest.raises(ValueError, match=message):
        TrainingDisplay.from_history(history, losses=losses)
    assert plt.get_fignums() == []


def test_a_file_that_is_not_there_yet_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"history\.csv does not exist. A run writes"):
        TrainingDisplay.from_history(tmp_path / "history.csv")
    (tmp_path / "history.csv").write_text("epoch,n_steps,loss,lr\n")
    with pytest.raises(ValueError, match="history has no epoch"):
        TrainingDisplay.from_history(tmp_path / "history.csv")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[plot\]'"):
        TrainingDisplay.from_history(made_up(1, loss=[1.0]))

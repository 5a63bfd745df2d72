"""Any input gives an answer of the right shape, or an error in words; and it changes nothing."""

from __future__ import annotations

import pickle
import time
import warnings
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import CASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("few_trees")
MAX_SECONDS = 30
DTYPES = ["f8", "f4", "f2", "i8", "u1", "?", "O", "U8", "M8[s]", "c16", ">f8", "f16"]
VALUES = ["noise", "constant", "zeros", "huge", "tiny", "mixed", "steps", "largest", "offset"]
GAPS = ["none", "some", "most", "all", "channel", "series", "ends", "infinite"]
CONTAINERS = ["array", "nested lists", "list", "tuple", "ragged", "pandas", "polars", "masked"]
CONTAINERS += ["fortran", "strided", "read-only", "object array", "memory"]
SHAPES = st.one_of(
    st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(0, 90)),
    st.tuples(st.integers(0, 200), st.integers(0, 4)),
    st.tuples(st.integers(0, 90)),
    st.just(()),
)


def draw_values(shape, values, gaps, rng):
    x = rng.normal(size=shape)
    if values == "mixed":
        x = x * 10.0 ** rng.integers(-300, 300, size=shape)
    elif values == "largest":
        x = np.sign(x) * np.finfo(float).max
    elif values == "steps":
        x = np.round(x)
    else:
        factor, level = {
            "noise": (1, 0),
            "constant": (0, 3),
            "zeros": (0, 0),
            "huge": (1e200, 0),
            "tiny": (1e-200, 0),
            "offset": (1, 1e9),
        }[values]
        x = x * factor + level
    x = np.asarray(x)
    hidden = {"some": 0.1, "most": 0.95, "all": 1.1}.get(gaps, 0)
    x[rng.random(shape) < hidden] = np.nan
    if x.ndim and x.size and gaps in ("series", "ends"):
        x[: 1 if gaps == "series" else len(x) // 3] = np.nan
    if x.ndim > 1 and x.size and gaps == "channel":
        x[:, 0] = np.nan
    if x.size and gaps == "infinite":
        x[(0,) * x.ndim] = np.inf
    return x


def put(x, container, dtype):
    """Convert numbers to a type and a container, where there is such a thing."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        x = (
            np.nan_to_num(x).astype(dtype)
            if dtype in ("i8", "u1", "?", "M8[s]")
            else x.astype(dtype)
        )
    # Data frames have the types of this machine only.
    x = x.astype("f8") if container in ("pandas", "polars") and dtype in (">f8", "f16") else x
    flat = x.reshape(len(x), int(np.prod(x.shape[1:]))) if x.ndim > 1 else x
    makers = {
        "nested lists": x.tolist,
        "list": lambda: list(x) if x.ndim else [x],
        "tuple": lambda: tuple(x) if x.ndim else (x,),
        "ragged": lambda: (
            [one[..., : max(1, one.shape[-1] - i)] for i, one in enumerate(x)]
            if x.ndim > 1
            else [x]
        ),
        "pandas": lambda: pd.DataFrame(flat) if x.ndim else pd.DataFrame(),
        "polars": lambda: pl.DataFrame(
            {f"c{i}": column.tolist() for i, column in enumerate(flat.T)} if x.ndim > 1 else {}
        ),
        "masked": lambda: np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) % 7 == 0),
        "fortran": lambda: np.asfortranarray(x),
        "strided": lambda: x[..., ::2] if x.ndim else x,
        "object array": lambda: np.array([*x, None], dtype=object)[:-1] if x.ndim else x,
        "memory": lambda: memoryview(np.ascontiguousarray(x)) if dtype in ("f8", "f4") else x,
    }
    made = makers.get(container, lambda: x)()
    if container == "read-only" and isinstance(made, np.ndarray):
        made.flags.writeable = False
    return made


def content(X):
    """Return something that differs if X is changed."""
    with np.errstate(all="ignore"):
        if isinstance(X, list | tuple):
            return pickle.dumps(X)
        return repr(X.tobytes() if isinstance(X, np.ndarray | memoryview) else X)


def attempt(action):
    """Return the answer, or None for an error in words."""
    start, message = time.monotonic(), "no error so far, or one in words"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # those of numpy
            warnings.simplefilter("ignore", UserWarning)  # in words
            warnings.simplefilter("ignore", DeprecationWarning)  # of pandas
            answer = action()
    except (ValueError, TypeError) as error:
        answer, message = None, str(error)
    assert len(message) > 20, message
    assert time.monotonic() - start < MAX_SECONDS
    return answer


def state(model):
    return pickle.dumps(deepcopy(model))


def check_answer(case, model, X):
    before = content(X)
    answer = attempt(lambda: getattr(model, case.method)(X))
    assert content(X) == before, "the query was changed"
    if answer is None:
        return
    answer = answer[0] if isinstance(answer, tuple) else answer
    parts = answer if isinstance(answer, list) else [answer]
    if not isinstance(answer, list) and X is not None:  # None asks about the entries of an index
        assert len(answer) == len(X)
    numbers = [np.asarray(part, dtype=float) for part in parts]
    if case.method == "transform" and case.estimator.__class__.__name__.endswith(
        ("Tabular", "Panel")
    ):
        assert not any(np.isinf(part).any() for part in numbers)
    else:
        assert all(np.isfinite(part).all() for part in numbers)


def check(name, shape, dtype, values, gaps, container, seed):
    case, rng = CASES[name], np.random.default_rng(seed)
    X = put(draw_values(shape, values, gaps, rng), container, dtype)
    y = case.targets(len(X)) if shape else None
    model = fitted(name)
    check_answer(case, model, X)
    before, known = content(X), state(model)
    refitted = attempt(lambda: model.fit(X, y))
    assert content(X) == before, "the input of fit was changed"
    if refitted is None:
        assert state(model) == known, "a failed fit changed the estimator"
    else:
        check_answer(case, model, X)


def fitted(name):
    """Return an estimator fitted to data with two channels."""
    if name not in MODELS:
        MODELS[name] = CASES[name].fit(CASES[name].data())
    return deepcopy(MODELS[name])


MODELS = {}
RANDOM = given(
    name=st.sampled_from(sorted(CASES)),
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES) | st.just("f8"),
    values=st.sampled_from(VALUES),
    gaps=st.sampled_from(GAPS),
    container=st.sampled_from(CONTAINERS),
    seed=st.integers(0, 2**32 - 1),
)
QUIET = {"suppress_health_check": list(HealthCheck), "print_blob": False}


@settings(max_examples=500, **QUIET)
@RANDOM
def test_500_inputs_of_any_kind(**case):
    check(**case)


@pytest.mark.nightly
@settings(max_examples=10_000, **QUIET)
@RANDOM
def test_10_000_inputs_of_any_kind(**case):
    check(**case)

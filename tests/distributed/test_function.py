"""A function of partitions answers for parts of a sorted table, and says what is wrong."""

from __future__ import annotations

import pickle
import shutil
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from device_tables import ROLES, fitted, table
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector, TSPulseTransformer
from sktspulse.distributed import PartitionFunction


@pytest.mark.parametrize("cuts", [[], [1, 2], [119, 121], [120, 210, 360], [60, 60, 300]], ids=str)
def test_a_device_may_begin_in_one_batch_and_end_in_another(cuts):
    function = PartitionFunction("embed", fitted("embed"), **ROLES)
    frame = table()
    parts = [frame[start:stop] for start, stop in pairwise([0, *cuts, len(frame)])]
    found = pd.concat(function.over_batches(iter(parts)), ignore_index=True)
    expected = function(frame)
    assert found["pump"].tolist() == expected["pump"].tolist()
    np.testing.assert_allclose(found.iloc[:, 1:], expected.iloc[:, 1:], rtol=0, atol=1e-6)


def test_no_batches_give_no_answers():
    function = PartitionFunction("embed", fitted("embed"), **ROLES)
    assert list(function.over_batches(iter([]))) == []


def test_what_is_sent_to_workers_is_small():
    assert len(pickle.dumps(PartitionFunction("embed", fitted("embed"), **ROLES))) < 2000


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task is 'cluster', expected one of"):
        PartitionFunction("cluster", fitted("embed"), **ROLES)


def test_a_missing_network_is_an_error_that_names_the_machine(tmp_path):
    path = tmp_path / "own.safetensors"
    shutil.copy(checkpoint(), path)
    transformer = TSPulseTransformer(checkpoint=path).fit(np.zeros((1, 2, 64)))
    detector = TSPulseAnomalyDetector("variation", checkpoint=path)
    path.unlink()
    with pytest.raises(RuntimeError, match=r"The worker on '.*' cannot load .*own.safetensors"):
        PartitionFunction("embed", transformer, **ROLES)(table())
    with pytest.raises(RuntimeError, match="cannot load the network"):
        PartitionFunction("fit_detector", detector, **ROLES)(table())


def test_detectors_of_all_devices_are_checked_by_one():
    detectors = {f"p{i}": fitted("score_anomalies") for i in range(4)}
    found = PartitionFunction("score_anomalies", detectors, **ROLES)(table())
    assert (found["score"] <= 0).all()
    assert checkpoint() == detectors["p0"].checkpoint

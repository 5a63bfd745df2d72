"""Functions for Spark have the schema of their answers. That Spark runs them is tested nightly."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from device_tables import ROLES, fitted, table

from sktspulse import TSPulseAnomalyDetector
from sktspulse.distributed import PartitionFunction, spark_functions


def field(name: str, kind: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, dataType=SimpleNamespace(simpleString=lambda: kind))


KINDS = {"pump": "string", "hour": "timestamp", "flow": "double", "heat": "float"}
SCHEMA = SimpleNamespace(fields=[field(*pair) for pair in KINDS.items()])
detector = TSPulseAnomalyDetector("variation")


@pytest.mark.parametrize(
    ("task", "schema"),
    [
        ("impute", "`pump` string, `hour` timestamp, `flow` double, `heat` float"),
        ("score_anomalies", "`pump` string, `hour` timestamp, `score` double"),
        ("predict", "`pump` string, `prediction` string"),
        ("predict_proba", "`pump` string, `probability_high` double, `probability_low` double"),
        ("fit_detector", "`pump` string, `detector` binary"),
    ],
)
def test_the_schema_names_all_columns(task, schema):
    estimator = detector if task == "fit_detector" else fitted(task)
    assert spark_functions(task, estimator, SCHEMA, **ROLES).schema == schema


def test_features_are_floats():
    schema = spark_functions("embed", fitted("embed"), SCHEMA, **ROLES).schema
    assert schema.startswith("`pump` string, `ch0_semantic0` float, `ch0_semantic1` float")


def test_both_functions_give_the_answers_of_the_partition():
    frame = table()
    expected = PartitionFunction("score_anomalies", fitted("score"), **ROLES)(frame)
    make = spark_functions("score_anomalies", fitted("score"), SCHEMA, **ROLES)
    groups = [make.by_group(one) for _, one in frame.groupby("pump")]
    pd.testing.assert_frame_equal(pd.concat(groups), expected)
    batches = pd.concat(make.by_batches(iter([frame[:200], frame[200:]])))
    assert batches["pump"].dtype == object
    pd.testing.assert_frame_equal(batches, expected, check_dtype=False)

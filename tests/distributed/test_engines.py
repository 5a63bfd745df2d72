"""Ray and Spark on this machine give the answers of one table in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from device_tables import ROLES, fitted, table

from sktspulse import TSPulseAnomalyDetector
from sktspulse.distributed import PartitionFunction, load_detectors, spark_functions

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]
TASKS = ("embed", "predict", "score_anomalies", "impute")


def assert_same(found: pd.DataFrame, task: str) -> None:
    expected = PartitionFunction(task, fitted(task), **ROLES)(table())
    keys = [name for name in ("pump", "hour") if name in found]
    found, expected = (one.sort_values(keys).reset_index(drop=True) for one in (found, expected))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=0, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_spark_gives_the_same_by_group_and_by_batches(spark, task):
    frame = table().astype({"hour": "datetime64[us]"})
    rows = spark.createDataFrame(frame.sample(frac=1, random_state=0)).repartition(3)
    make = spark_functions(task, fitted(task), rows.schema, **ROLES)
    found = rows.groupBy("pump").applyInPandas(make.by_group, make.schema)
    assert_same(found.toPandas(), task)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 50)
    sorted_rows = rows.repartition(3, "pump").sortWithinPartitions("pump", "hour")
    assert_same(sorted_rows.mapInPandas(make.by_batches, make.schema).toPandas(), task)


def test_spark_fits_a_detector_for_each_device(spark):
    rows = spark.createDataFrame(table())
    detector = TSPulseAnomalyDetector("variation")
    make = spark_functions("fit_detector", detector, rows.schema, **ROLES)
    found = rows.groupBy("pump").applyInPandas(make.by_group, make.schema).toPandas()
    assert sorted(load_detectors(found, by="pump")) == ["p0", "p1", "p2", "p3"]


def test_an_error_of_spark_names_the_device(spark):
    frame = table()
    frame.loc[frame.index[frame["pump"] == "p2"][5], "heat"] = np.inf
    rows = spark.createDataFrame(frame)
    make = spark_functions("embed", fitted("embed"), rows.schema, **ROLES)
    with pytest.raises(Exception, match="pump='p2'"):
        rows.groupBy("pump").applyInPandas(make.by_group, make.schema).toPandas()


@pytest.mark.parametrize("task", TASKS)
def test_actors_of_ray_give_the_same(ray, task):
    data = pytest.importorskip("ray.data").from_pandas([one for _, one in table().groupby("pump")])
    answers = data.map_batches(
        PartitionFunction,
        fn_constructor_args=(task, fitted(task)),
        fn_constructor_kwargs=ROLES,
        batch_format="pandas",
        batch_size=None,
        compute=pytest.importorskip("ray.data").ActorPoolStrategy(size=2),
    )
    assert_same(answers.to_pandas(), task)


def test_groups_of_ray_give_the_same(ray):
    frame = table().sample(frac=1, random_state=0)
    data = pytest.importorskip("ray.data").from_pandas([frame[:200], frame[200:]])
    function = PartitionFunction("embed", fitted("embed"), **ROLES)
    answers = data.groupby("pump").map_groups(function.__call__, batch_format="pandas")
    assert_same(answers.to_pandas(), "embed")

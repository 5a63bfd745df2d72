"""Engines on this machine."""

from __future__ import annotations

import os
import sys
import warnings

import pytest


@pytest.fixture
def client():
    """A client of two workers that are threads of this process."""
    distributed = pytest.importorskip("dask.distributed", reason="needs the extra distributed")
    settings = {"processes": False, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.Client(
        n_workers=2, threads_per_worker=1, protocol="tcp", **settings
    ) as client:
        yield client


@pytest.fixture(scope="session")
def cluster():
    """Two worker processes of Dask."""
    distributed = pytest.importorskip("dask.distributed", reason="needs the extra distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    with cluster:
        yield cluster


@pytest.fixture
def processes(cluster):
    """A client of two workers that are processes."""
    with pytest.importorskip("dask.distributed").Client(cluster) as client:
        yield client


@pytest.fixture(scope="session")
def ray():
    """Two worker processes of Ray."""
    ray = pytest.importorskip("ray", reason="needs ray[data]")
    paths = os.pathsep.join(path for path in sys.path if path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        environment = {"env_vars": {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}}
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            object_store_memory=2**28,
            runtime_env=environment,
            _node_ip_address="127.0.0.1",
        )
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def spark():
    """A local session of Spark with two threads, each with a Python process."""
    sql = pytest.importorskip("pyspark.sql", reason="needs pyspark and Java")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        local = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        local |= {"spark.sql.shuffle.partitions": "3", "spark.sql.session.timeZone": "UTC"}
        session = builder.config(map=local).getOrCreate()
    yield session
    session.stop()

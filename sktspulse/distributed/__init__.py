"""Estimators on Dask, Spark and Ray, over tables that are larger than memory."""

from .function import PartitionFunction
from .spark import spark_functions
from .tables import embed, fit_detectors, impute, predict, score_anomalies
from .tasks import load_detectors
from .writing import write_partitions

__all__ = [
    "PartitionFunction",
    "embed",
    "fit_detectors",
    "impute",
    "load_detectors",
    "predict",
    "score_anomalies",
    "spark_functions",
    "write_partitions",
]

"""
Classify machines with Spark
============================

A table of Spark has one row for each machine and minute. A classifier that was fitted to a few
machines predicts the kind of all others on the workers of Spark.
"""

import os
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import expr
from sklearn.ensemble import RandomForestClassifier

from sktspulse import TSPulseClassifier, panel_to_long
from sktspulse.datasets import make_labelled_panel
from sktspulse.distributed import spark_functions

# %%
# A local session with two threads, and a table of 300 machines of four kinds with two sensors.
os.environ["PYSPARK_PYTHON"] = sys.executable
builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", 4)
spark = builder.config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

X, kinds = make_labelled_panel(300, n_classes=4, n_channels=2, random_state=0)
names = [f"machine {i}" for i in range(300)]
table = panel_to_long(X, names, id="machine", time="minute", columns=["pressure", "flow"])
rows = spark.createDataFrame(table)
rows.show(3)

# %%
# The classifier, fitted to 40 machines in this process.
n_fitted = 40
classifier = TSPulseClassifier().fit(X[:n_fitted], kinds[:n_fitted])

# %%
# Predictions of all machines. Sorted partitions are sent in batches, so that each call of the
# network has many machines; ``groupBy("machine").applyInPandas(make.by_group, make.schema)`` gives
# the same, one machine at a time.
make = spark_functions("predict", classifier, rows.schema, by="machine", time="minute")
ordered = rows.repartition("machine").sortWithinPartitions("machine", "minute")
found = ordered.mapInPandas(make.by_batches, make.schema).toPandas()
predicted = found.set_index("machine")["prediction"].loc[names].to_numpy()

# %%
# The baseline, a random forest, sees four statistics of each sensor, which Spark computes as well.
measures = [f"{f}({c})" for c in ("pressure", "flow") for f in ("avg", "stddev", "min", "max")]
summary = rows.groupBy("machine").agg(*map(expr, measures))
summary = summary.toPandas().set_index("machine").loc[names].to_numpy()
spark.stop()
forest = RandomForestClassifier(random_state=0).fit(summary[:n_fitted], kinds[:n_fitted])
answers = {"TSPulseClassifier": predicted, "forest on statistics": forest.predict(summary)}
accuracy = {
    name: np.mean(answer[n_fitted:] == kinds[n_fitted:]) for name, answer in answers.items()
}
for name, value in accuracy.items():
    print(f"{name}: accuracy {value:.2f} on {300 - n_fitted} machines")

# %%
# How many machines of each kind are taken for which.
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
for axis, (name, answer) in zip(axes, answers.items(), strict=True):
    counts = pd.crosstab(kinds[n_fitted:], answer[n_fitted:])
    axis.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        axis.text(column, row, count, ha="center", va="center")
    axis.set(title=f"{name}: {accuracy[name]:.2f}", xlabel="predicted kind")
_ = axes[0].set(ylabel="kind", xticks=range(4), yticks=range(4))

"""
Series of five kinds, embedded
==============================

The semantic embedding puts series of a kind near each other, although no series was
ever labelled for the network. A linear classifier on the embeddings then needs few
examples, where one on the raw values is lost: the series start at different phases.
"""

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktspulse import EmbeddingDisplay, TSPulseTransformer
from sktspulse.datasets import make_labelled_panel

X, y = make_labelled_panel(n_series=150, n_classes=5, random_state=1)

# %%
# One vector of 240 numbers for each series, compared with the series as they are.
embeddings = TSPulseTransformer().fit_transform(X)
classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
embedded = cross_val_score(classifier, embeddings, y).mean()
raw = cross_val_score(classifier, X.reshape(len(X), -1), y).mean()
print(f"accuracy on embeddings {embedded:.3f}, on raw values {raw:.3f}")

# %%
# The two directions in which the embeddings differ most.
display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)

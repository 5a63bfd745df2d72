"""Slow, obvious twins of the metrics: one slope length, one threshold, one point at a time."""

from __future__ import annotations

import math


def runs(labels):
    """First and last point of each run of anomalous points."""
    found = []
    for t, label in enumerate(labels):
        if label and t and labels[t - 1]:
            found[-1][1] = t
        elif label:
            found.append([t, t])
    return found


def slope_labels(labels, length):
    """Add a slope on either side of each anomaly, and let nothing exceed 1."""
    sloped = [float(label) for label in labels]
    for start, end in runs(labels):
        for d in range(1, length // 2 + 1):
            for t in (start - d, end + d):
                if 0 <= t < len(labels):
                    sloped[t] += math.sqrt(1 - d / length)
    return [min(label, 1.0) for label in sloped]


def wide_anomalies(labels, length):
    """Points of each anomaly and its slopes, merged with the next if they overlap."""
    wide = []
    for start, end in runs(labels):
        points = set(range(start - length // 2, end + length // 2 + 1))
        if wide and wide[-1] & points:
            wide[-1] |= points
        else:
            wide.append(points)
    return wide


def thresholds(scores):
    ordered = sorted(scores, reverse=True)
    step = (len(scores) - 1) / 249
    return [ordered[int(k * step)] for k in range(249)] + [ordered[-1]]


def operating_point(labels, sloped, wide, predicted):
    """Recall, false positive rate and precision."""
    hits = sum(sloped[t] for t in predicted)
    on_slopes = sum(sloped[t] for t in predicted if not labels[t])
    positives = (sum(labels) + sum(labels) + on_slopes) / 2
    n_detected = sum(any(t in points for t in predicted) for points in wide)
    return (
        min(hits / positives, 1) * n_detected / len(wide),
        (len(predicted) - hits) / (len(labels) - positives),
        hits / len(predicted),
    )


def volumes(labels, scores, window):
    """Volume under the precision-recall and under the ROC surface."""
    pr = roc = 0.0
    for length in range(window + 1):
        sloped, wide = slope_labels(labels, length), wide_anomalies(labels, length)
        recall, false_positive_rate = 0.0, 0.0
        for threshold in thresholds(scores):
            predicted = [t for t, score in enumerate(scores) if score >= threshold]
            point = operating_point(labels, sloped, wide, predicted)
            pr += (point[0] - recall) * point[2]
            roc += (point[1] - false_positive_rate) * (point[0] + recall) / 2
            recall, false_positive_rate, _ = point
        roc += (1 - false_positive_rate) * (1 + recall) / 2
    return pr / (window + 1), roc / (window + 1)


def period(x):
    """Lag of the highest peak of the autocorrelation."""
    x = x[:20_000]
    mean = sum(x) / len(x)
    products = [
        sum((x[t] - mean) * (x[t + lag] - mean) for t in range(len(x) - lag))
        for lag in range(min(401, len(x)))
    ]
    peaks = [
        lag
        for lag in range(4, len(products) - 1)
        if products[lag - 1] < products[lag] > products[lag + 1]
    ]
    highest = max(peaks, key=lambda lag: products[lag], default=0)
    return highest if 6 <= highest <= 303 else 125


def range_recall(labels, predicted, alpha):
    """Reward each anomaly for being detected, and for its fraction predicted in few pieces."""
    rewards = []
    for start, end in runs(labels):
        fraction = sum(map(bool, predicted[start : end + 1])) / (end + 1 - start)
        n_overlaps = sum(start <= b and a <= end for a, b in runs(predicted))
        rewards.append(alpha * (n_overlaps > 0) + (1 - alpha) * fraction / max(n_overlaps, 1))
    return sum(rewards) / len(rewards) if rewards else 0.0


def affiliation(labels, predicted, steps=20):
    """Precision and recall by the probability of being farther, at many places in each point."""
    spans = [(start, end + 1) for start, end in runs(labels)]
    precisions, recalls = [], []
    for j, span in enumerate(spans):
        left = (spans[j - 1][1] + span[0]) / 2 if j else 0
        right = (span[1] + spans[j + 1][0]) / 2 if j + 1 < len(spans) else len(labels)
        places = [(k + 0.5) / steps for k in range(len(labels) * steps)]
        places = [place for place in places if left < place < right]
        around = [place for place in places if predicted[int(place)]]
        probabilities = []
        for place in around:
            off = max(span[0] - place, place - span[1], 0)
            nearer = min(right, span[1] + off) - max(left, span[0] - off)
            probabilities.append(1 - nearer / (right - left) if off else 1)
        if around:
            precisions.append(sum(probabilities) / len(probabilities))
        inside = [place for place in places if span[0] < place < span[1]]
        recalls.append(sum(map(probability_by_place(predicted, left, right), inside)) / len(inside))
    return sum(precisions) / len(precisions) if precisions else 0.0, sum(recalls) / len(recalls)


def probability_by_place(predicted, left, right):
    pieces = [(max(a, left), min(b + 1, right)) for a, b in runs(predicted)]
    pieces = [(a, b) for a, b in pieces if a < b]

    def probability(place):
        if not pieces:
            return 0
        off = min(max(a - place, place - b, 0) for a, b in pieces)
        return 1 - (min(right, place + off) - max(left, place - off)) / (right - left)

    return probability

"""Metrics that count, in a model's native loop: the same results as by hand."""

from __future__ import annotations

import numpy as np

import ranvier
from ranvier import metrics


def test_counting_metrics_in_evaluate() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 5)).astype("float32")
    y = np.eye(3, dtype="float32")[rng.integers(0, 3, 70)]

    def make() -> list[metrics.Metric]:
        return [
            metrics.AUC(name="auc"),
            metrics.AUC(name="auc_pr", curve="PR", multi_label=True),
            metrics.Precision(name="precision", top_k=1),
            metrics.Recall(name="recall", thresholds=[0.2, 0.6], class_id=2),
            metrics.SensitivityAtSpecificity(0.5, name="best"),
            metrics.F1Score(name="f1"),
            metrics.OneHotMeanIoU(3, name="iou"),
            metrics.PearsonCorrelation(name="pearson"),
        ]

    model = ranvier.Sequential([ranvier.Input((5,)), ranvier.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=make())
    model.fit(x, y, epochs=2, verbose=0)
    found = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    predictions = model.predict(x, verbose=0)
    for metric in make():
        for start in range(0, 70, 16):
            metric.update_state(y[start : start + 16], predictions[start : start + 16])
        np.testing.assert_allclose(found[metric.name], metric.result(), rtol=1e-6)

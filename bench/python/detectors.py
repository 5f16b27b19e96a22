#!/usr/bin/env python3
"""Speed of the detectors beside scikit-learn and XGBoost in the same process; writes
bench/detectors.csv.

    bench/detectors.sh

Both get the same rows: 7 columns, 4,000 training rows (1,000 for LOF and the SVM), 10,000 to
score, from a fixed seed; LOF gets 50 columns as well, 5,000 rows to score. Each figure is the
best of as many runs on both sides (5 fits, 15 batches), the peer's calls included as a user
makes them; one row = the median over rows, ours measured in C. Threads are set on both sides
(n_jobs / threadpoolctl for the peers).
"""

import csv
import os
import platform
import time
import warnings

import numpy as np
import sklearn
import xgboost
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.decomposition import PCA
from sklearn.svm import OneClassSVM
from threadpoolctl import threadpool_limits

import vedette as v

warnings.filterwarnings("ignore")
CORES = os.cpu_count()


def best(run, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


class Reconstruction:
    """PCA reconstruction error as people write it with scikit-learn."""

    def __init__(self, x):
        self.scaler = StandardScaler().fit(x)
        self.pca = PCA(0.95).fit(self.scaler.transform(x))

    def score(self, x):
        z = self.scaler.transform(x)
        return ((z - self.pca.inverse_transform(self.pca.transform(z))) ** 2).mean(axis=1)


def peers(threads):
    """name -> (fit, score) of the reference; fit takes rows and labels."""
    def xgb(x, y):
        return xgboost.XGBClassifier(n_estimators=100, max_depth=6, n_jobs=threads).fit(x, y)

    def xgb_score(model, x):
        return model.get_booster().inplace_predict(x)

    return {
        "isolation_forest": (
            lambda x, y: IsolationForest(n_estimators=100, max_samples=256, n_jobs=threads,
                                         random_state=0).fit(x),
            lambda m, x: m.score_samples(x)),
        "one_class_svm": (
            lambda x, y: make_pipeline(StandardScaler(), OneClassSVM(nu=0.05)).fit(x),
            lambda m, x: m.decision_function(x)),
        "lof": (
            lambda x, y: make_pipeline(StandardScaler(), LocalOutlierFactor(
                novelty=True, n_jobs=threads)).fit(x),
            lambda m, x: m.score_samples(x)),
        "pca": (lambda x, y: Reconstruction(x), lambda m, x: m.score(x)),
        "random_forest": (
            lambda x, y: RandomForestClassifier(n_jobs=threads, random_state=0).fit(x, y),
            lambda m, x: m.predict_proba(x)),
        "xgboost": (xgb, xgb_score),
    }


def add(out, name, what, threads, ours, peer):
    ratio = peer / ours if peer is not None else float("nan")
    out.append([name, what, threads, f"{ours * 1e6:.3f}",
                "" if peer is None else f"{peer * 1e6:.3f}",
                "" if peer is None else f"{ratio:.1f}"])
    print(f"{name:17} {what:6} {threads} thread(s): {ours * 1e6:12.3f} us" +
          ("" if peer is None else f", peer {peer * 1e6:14.3f} us, ratio {ratio:.1f}"), flush=True)


def compare(out, name, x, y, rows, threads, title=None):
    title = title or name
    fit, score = peers(threads)[name]
    labels = y if name in ("random_forest", "xgboost") else None
    with threadpool_limits(threads):
        theirs = best(lambda: fit(x, y), 5)
        model = fit(x, y)
        ours = best(lambda: v.Detector(name, x, labels, contamination=0, threads=threads), 5)
        detector = v.Detector(name, x, labels, contamination=0, threads=threads)
        add(out, title, "fit", threads, ours, theirs)
        add(out, title, "batch", threads,
            best(lambda: detector.score(rows, threads), 15) / len(rows),
            best(lambda: score(model, rows), 15) / len(rows))
        if threads == 1:
            singles = [best(lambda r=rows[i:i + 1]: score(model, r), 1) for i in range(40)]
            add(out, title, "one", 1, np.median(v.latency([detector], rows)) / 1e6,
                np.median(singles))


# What bench/accuracy.sh chooses on the labelled set: the largest models there are there.
CHOSEN = {"isolation_forest.max_samples": 512, "isolation_forest.extension": 6,
          "one_class_svm.scale": 1, "one_class_svm.kernel": 3, "one_class_svm.nu": 0.5,
          "one_class_svm.gamma": 2, "one_class_svm.gamma_value": 0.5, "lof.scale": 1,
          "pca.scale": 0, "pca.components": 1, "random_forest.n_trees": 300,
          "random_forest.max_features": 3, "xgboost.max_depth": 3,
          "xgboost.learning_rate": 0.1}


def main():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((4000, 7)) @ rng.standard_normal((7, 7)) * 5 + 40
    rows = rng.standard_normal((10000, 7)) @ rng.standard_normal((7, 7)) * 6 + 40
    y = (x[:, 0] + 0.3 * rng.standard_normal(4000) > np.quantile(x[:, 0], 0.85)).astype(int)
    wide = rng.standard_normal((6000, 50))
    out = []
    for threads in (1, CORES):
        for name in peers(1):
            n = 1000 if name in ("lof", "one_class_svm") else 4000
            compare(out, name, x[:n], y[:n], rows, threads)
        compare(out, "lof", wide[:1000], None, wide[1000:], threads, "lof, 50 columns")
    start = time.perf_counter()
    v.Detector("agent", x[:210], y[:210])
    add(out, "agent", "fit", 1, time.perf_counter() - start, None)
    # All eight on one row, with models of the size of the labelled set: 1,200 normal and 210
    # labelled rows.
    for name, settings in (("all eight", {}), ("all eight as chosen", CHOSEN)):
        ensemble = v.Detector("ensemble", x[:210], y[:210], normal=x[300:1500], **settings)
        for _ in range(2):
            times = v.latency([ensemble], rows)
        for q in (50, 99):
            add(out, name, f"one p{q}", 1, np.percentile(times, q) / 1e6, None)
    with open(os.path.join(v.ROOT, "bench", "detectors.csv"), "w", newline="",
              encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        file.write(f"# bench/detectors.sh; {platform.machine()}, {CORES} cores; scikit-learn "
                   f"{sklearn.__version__}, XGBoost {xgboost.__version__}\n")
        writer.writerow(["detector", "what", "threads", "vedette_us", "peer_us", "ratio"])
        writer.writerows(out)


if __name__ == "__main__":
    main()

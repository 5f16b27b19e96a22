#!/usr/bin/env python3
"""Accuracy of the detectors beside scikit-learn and XGBoost; writes bench/accuracy.csv.

    bench/accuracy.sh

labeled: unsupervised detectors learn on normal_training, supervised ones on
labeled_training, all are scored on labeled_test. Settings are chosen on the training files
alone: of each grid below the one with the best sum of mean ROC area and mean F1 over five
times five stratified folds of labeled_training (an unsupervised detector, which learns on
normal_training, is scored on the folds; its contamination is chosen on the other folds).
The ensemble gets the members' settings and chooses its weights itself, on scores from
models that have not seen the row; its column of folds is ten fits of the whole. labeled_test
takes part in no choice that is made here. It was scored many times while the detectors
were being written, as a file of 90 rows that everybody reports on will be.
adbench: ROC area of fitting and scoring the same rows, unlabelled, mean over seeds.
json: models exchanged with XGBoost give the same probabilities and shares, both ways.
With --labeled only adbench is kept as it was.
"""

import csv
import itertools
import os
import sys
import warnings

import numpy as np
import xgboost
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

import vedette as v

warnings.filterwarnings("ignore")
COLUMNS = ["cpu_percent", "cpu_freq", "cpu_memory", "cpu_temp", "gpu_percent", "gpu_memory",
           "gpu_temp"]
SHARES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
GRIDS = {
    "isolation_forest": {"max_samples": (256, 512), "extension": (0, 1, 6)},
    "one_class_svm": {"scale": (0, 1), "kernel": (0, 1, 3), "nu": (0.05, 0.2, 0.5),
                      "gamma": (2,), "gamma_value": (0.01, 0.1, 0.5)},
    "lof": {"scale": (0, 1), "n_neighbors": (5, 10, 20, 50, 100)},
    "pca": {"scale": (0, 1), "components": (1, 2, 3, 4)},
    "mahalanobis": {"scale": (0,)},
    "random_forest": {"n_trees": (300,), "max_features": (0, 3), "class_weight": (0, 1)},
    "xgboost": {"max_depth": (3, 6), "learning_rate": (0.1, 0.3)},
    "agent": {"reward_miss": (-5, -1), "reward_silence": (0.1, 1), "entropy": (0.05, 0.2)},
}
# F1 and ROC area of the original Python program on labeled_test.
ORIGINAL = {"isolation_forest": (0.857, 0.883), "one_class_svm": (0.841, 0.931),
            "pca": (0.812, 0.635), "lof": (0.733, 0.501), "random_forest": (0.937, 0.975),
            "xgboost": (0.946, 0.967), "agent": (0.929, 0.944), "ensemble": (0.898, 0.876)}
SEEDS = {"isolation_forest": 100, "random_forest": 30}  # beside scikit-learn
UNSUPERVISED = ("isolation_forest", "one_class_svm", "lof", "pca", "mahalanobis")


def combinations(grid):
    return [dict(zip(grid, values)) for values in itertools.product(*grid.values())]


def choose_unsupervised(name, normal, x, y, folds):
    """Best settings and contamination; (cv F1, cv area, settings, contamination)."""
    best = (-1,)
    for settings in combinations(GRIDS[name]):
        detector = v.Detector(name, normal, seed=1, **settings)
        scores, own = detector.score(x), detector.score(normal)
        said = {c: scores > np.quantile(own, 1 - c) for c in SHARES}
        areas, f1s = [], []
        for train, test in folds:
            share = max(SHARES, key=lambda c: f1_score(y[train], said[c][train]))
            areas.append(roc_auc_score(y[test], scores[test]))
            f1s.append(f1_score(y[test], said[share][test]))
        share = max(SHARES, key=lambda c: f1_score(y, said[c]))
        result = (np.mean(f1s) + np.mean(areas), np.mean(f1s), np.mean(areas), settings, share)
        best = max(best, result, key=lambda r: r[0])
    return best[1:]


def choose_supervised(name, x, y, folds):
    best = (-1,)
    for settings in combinations(GRIDS[name]):
        areas, f1s = [], []
        for k, (train, test) in enumerate(folds):
            detector = v.Detector(name, x[train], y[train], seed=k, **settings)
            scores = detector.score(x[test])
            areas.append(roc_auc_score(y[test], scores))
            f1s.append(f1_score(y[test], scores > detector.threshold))
        result = (np.mean(f1s) + np.mean(areas), np.mean(f1s), np.mean(areas), settings, 0.05)
        best = max(best, result, key=lambda r: r[0])
    return best[1:]


def on_test(name, normal, x, y, test_x, test_y, settings, share, seeds=10):
    """Mean F1 and area over seeds on the rows held back."""
    f1s, areas = [], []
    for seed in range(seeds):
        if name in UNSUPERVISED:
            detector = v.Detector(name, normal, contamination=share, seed=seed, **settings)
        else:
            detector = v.Detector(name, x, y, normal=normal, seed=seed, **settings)
        scores = detector.score(test_x)
        f1s.append(f1_score(test_y, scores > detector.threshold))
        areas.append(roc_auc_score(test_y, scores))
    return np.mean(f1s), np.mean(areas)


def labeled(out):
    folder = os.path.join(v.DATA, "labeled")
    normal = v.read_csv(os.path.join(folder, "normal_training.csv"), COLUMNS)
    train = v.read_csv(os.path.join(folder, "labeled_training.csv"), COLUMNS + ["label"])
    test = v.read_csv(os.path.join(folder, "labeled_test.csv"), COLUMNS + ["label"])
    x, y = train[:, :7], train[:, 7].astype(int)
    folds = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=5, random_state=0).split(x, y))
    members = {}
    for name in GRIDS:
        if name in UNSUPERVISED:
            chosen = choose_unsupervised(name, normal, x, y, folds)
        else:
            chosen = choose_supervised(name, x, y, folds[:10])
        cv_f1, cv_area, settings, share = chosen
        members.update({f"{name}.{k}": value for k, value in settings.items()})
        f1, area = on_test(name, normal, x, y, test[:, :7], test[:, 7].astype(int), settings,
                           share)
        record(out, name, cv_f1, cv_area, f1, area, settings, share)
    cv_f1, cv_area = fold_ensemble(normal, x, y, folds[:10], members)
    f1, area = on_test("ensemble", normal, x, y, test[:, :7], test[:, 7].astype(int), members,
                       0.05)
    record(out, "ensemble", cv_f1, cv_area, f1, area, {"members": "as chosen above"}, np.nan)
    print_places(out)
    forests(out, normal, x, y, test[:, :7], test[:, 7])


def forests(out, normal, x, y, test_x, test_y):
    """The random ones beside scikit-learn's with everybody's defaults, means over seeds."""
    pairs = {
        "isolation_forest": (
            lambda s: v.Detector("isolation_forest", normal, contamination=0, seed=s).score(test_x),
            lambda s: -IsolationForest(random_state=s).fit(normal).score_samples(test_x)),
        "random_forest": (
            lambda s: v.Detector("random_forest", x, y, seed=s).score(test_x),
            lambda s: RandomForestClassifier(random_state=s).fit(x, y).predict_proba(test_x)[:, 1]),
    }
    for name, pair in pairs.items():
        a, b = (np.mean([roc_auc_score(test_y, score(s)) for s in range(SEEDS[name])])
                for score in pair)
        out.append(["labeled", name, "roc_auc", a, "scikit-learn", b, np.nan,
                    f"defaults; {SEEDS[name]} seeds"])
        print(f"{name:17} with the defaults: area {a:.4f}, scikit-learn {b:.4f}")


def fold_ensemble(normal, x, y, folds, members):
    f1s, areas = [], []
    for k, (train, test) in enumerate(folds):
        detector = v.Detector("ensemble", x[train], y[train], normal=normal, seed=k, **members)
        scores = detector.score(x[test])
        f1s.append(f1_score(y[test], scores > detector.threshold))
        areas.append(roc_auc_score(y[test], scores))
    return np.mean(f1s), np.mean(areas)


def print_places(out):
    """Where the ensemble stands among all detectors."""
    for measure in ("f1", "roc_auc"):
        values = {row[1]: row[3] for row in out if row[2] == measure}
        better = [name for name, value in values.items() if value > values["ensemble"] + 1e-9]
        print(f"better than the ensemble by {measure}: {', '.join(better) or 'none'}")


def record(out, name, cv_f1, cv_area, f1, area, settings, share):
    peer = ORIGINAL.get(name, (np.nan, np.nan))
    text = " ".join(f"{k}={value}" for k, value in settings.items())
    if name in UNSUPERVISED:
        text += f" contamination={share}"
    out.append(["labeled", name, "f1", f1, "original", peer[0], cv_f1, text])
    out.append(["labeled", name, "roc_auc", area, "original", peer[1], cv_area, text])
    print(f"{name:17} F1 {f1:.3f} (original {peer[0]:.3f}, folds {cv_f1:.3f})  "
          f"area {area:.3f} (original {peer[1]:.3f}, folds {cv_area:.3f})  {text}", flush=True)


def adbench_scores(x):
    """Per method: our scores and the peer's, lists over seeds."""
    z = StandardScaler().fit_transform(x)
    seeds = range(SEEDS["isolation_forest"])
    pca = PCA(n_components=0.9).fit(z)
    svm = OneClassSVM(nu=0.5, gamma="scale").fit(z)
    return {
        "isolation_forest": (
            [v.Detector("isolation_forest", x, contamination=0, seed=s).score(x) for s in seeds],
            [-IsolationForest(n_estimators=100, random_state=s).fit(x).score_samples(x)
             for s in seeds]),
        "lof": ([v.Detector("lof", x).score(x)],
                [-LocalOutlierFactor(novelty=True).fit(z).score_samples(z)]),
        "one_class_svm": ([v.Detector("one_class_svm", x, nu=0.5).score(x)],
                          [-svm.decision_function(z)]),
        "pca": ([v.Detector("pca", x, variance=0.9).score(x)],
                [((z - pca.inverse_transform(pca.transform(z))) ** 2).mean(axis=1)]),
        "mahalanobis": ([v.Detector("mahalanobis", x).score(x)],
                        [EmpiricalCovariance().fit(z).mahalanobis(z)]),
    }


def adbench(out):
    sums = {}
    for file in sorted(os.listdir(os.path.join(v.DATA, "adbench"))):
        if file.startswith("reference"):
            continue
        data = np.genfromtxt(os.path.join(v.DATA, "adbench", file), delimiter=",",
                             skip_header=1)
        x, y = data[:, :-1], data[:, -1]
        for method, (ours, peers) in adbench_scores(x).items():
            a = np.mean([roc_auc_score(y, s) for s in ours])
            b = np.mean([roc_auc_score(y, s) for s in peers])
            out.append(["adbench/" + file[:-4], method, "roc_auc", a, "scikit-learn", b, np.nan,
                        ""])
            sums.setdefault(method, []).append((a, b))
        x_train, x_test, y_train, y_test = x[::2], x[1::2], y[::2].astype(int), y[1::2]
        if 0 < y_train.sum() < len(y_train) and 0 < y_test.sum():
            a = np.mean([roc_auc_score(y_test, v.Detector("random_forest", x_train, y_train,
                                                          seed=s).score(x_test))
                         for s in range(SEEDS["random_forest"])])
            b = np.mean([roc_auc_score(y_test, RandomForestClassifier(random_state=s, n_jobs=2)
                                       .fit(x_train, y_train).predict_proba(x_test)[:, 1])
                         for s in range(SEEDS["random_forest"])])
            out.append(["adbench/" + file[:-4], "random_forest", "roc_auc", a, "scikit-learn",
                        b, np.nan, "even rows train, odd rows test"])
            sums.setdefault("random_forest", []).append((a, b))
        print(file, flush=True)
    for method, pairs in sums.items():
        a, b = np.mean(pairs, axis=0)
        worst = max(abs(p - q) for p, q in pairs)
        out.append(["adbench/mean", method, "roc_auc", a, "scikit-learn", b, np.nan,
                    f"largest difference on a set {worst:.4f}"])
        print(f"adbench mean {method:17} {a:.4f}, scikit-learn {b:.4f}, largest difference "
              f"{worst:.4f}")


def interchange(out):
    """XGBoost's JSON both ways: probabilities and shares of 6 columns of very different
    scale, 600 rows."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((600, 6)) * [1, 50, 1e-3, 7, 2500, 1]
    y = (x[:, 0] + x[:, 1] / 50 + 0.3 * rng.standard_normal(600) > 0).astype(int)
    rows = xgboost.DMatrix(x, y)
    ours = v.Detector("xgboost", x, y)
    read = xgboost.Booster()
    read.load_model(bytearray(v.xgboost_json(ours)))
    theirs = xgboost.train({"objective": "binary:logistic", "max_depth": 5}, rows, 40)
    taken = v.from_xgboost_json(bytes(theirs.save_raw("json")))
    for what, detector, booster in (("saved by vedette", ours, read),
                                    ("saved by XGBoost", taken, theirs)):
        score = np.abs(booster.predict(rows) - detector.score(x)).max()
        share = np.abs(booster.predict(rows, pred_contribs=True)[:, :6] -
                       v.shares(detector, x)).max()
        assert score < 1e-6 and share < 1e-5, (what, score, share)
        for measure, value in (("largest difference of a probability", score),
                               ("largest difference of a share", share)):
            out.append(["json", "xgboost", measure, f"{value:.1e}", "XGBoost", "", "", what])
        print(f"JSON {what}: probabilities within {score:.1e}, shares within {share:.1e}")


def main():
    out = []
    labeled(out)
    interchange(out)
    path = os.path.join(v.ROOT, "bench", "accuracy.csv")
    kept = []
    if "--labeled" in sys.argv:
        with open(path, newline="", encoding="utf-8") as file:
            kept = [row for row in csv.reader(file) if row[0].startswith("adbench")]
    else:
        adbench(out)
    with open(path, "w", newline="",
              encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["data", "detector", "measure", "vedette", "peer", "peer_value",
                         "folds_of_training_file", "settings"])
        for row in out:
            writer.writerow([f"{c:.4f}" if isinstance(c, float) else c for c in row])
        writer.writerows(kept)


if __name__ == "__main__":
    main()

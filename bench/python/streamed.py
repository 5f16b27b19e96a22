#!/usr/bin/env python3
"""What should watch a whole host row by row; writes bench/streamed.csv.

    bench/streamed.sh

skab: 17 files, 8 sensors at 1 Hz. A detector learns on the first 300 rows of a file, its
threshold comes from the scores of the next 100 (a tail as the library's calibration makes
it: exponential above the 95 % quantile), and the rows after are judged, all files together:
F1, false-alarm rate (FAR), missed-alarm rate (MAR). Nothing is chosen by the labels.
monitor: `vedette monitor --replay` on the same files: what it says of the same rows in its
performance log, all detectors together, learning on, at its own threshold.
streamed: mean ROC area of rows scored before they are learned, over SKAB's files in their
order and ADBench's sets in one random order, the same for all. "fitted once" learns on the
first 250 rows; "refitted" on the newest 1,000 after every 250 rows; half-space trees (Tan,
Ting, Liu, IJCAI 2011: 25 trees, 15 levels, windows of 250) learn from every window.
"""

import csv
import glob
import os
import subprocess
import tempfile

import numpy as np
from sklearn.metrics import roc_auc_score

import vedette as v

FIT, HELD, WINDOW, MEMORY = 300, 100, 250, 1000
STATIC = [("pca", 10, {"variance": 0.8}), ("pca", 1, {"variance": 0.8}),
          ("mahalanobis", 10, {}), ("mahalanobis", 1, {}), ("isolation_forest", 10, {}),
          ("isolation_forest", 1, {}), ("lof", 1, {}), ("one_class_svm", 1, {"nu": 0.05})]


def skab_files():
    for path in sorted(glob.glob(os.path.join(v.DATA, "skab", "*", "*.csv"))):
        data = np.genfromtxt(path, delimiter=";", skip_header=1)[:, 1:]
        yield data[:, :8], data[:, 8].astype(int)


def adbench_sets():
    for path in sorted(glob.glob(os.path.join(v.DATA, "adbench", "*.csv"))):
        if "reference" in path:
            continue
        data = np.genfromtxt(path, delimiter=",", skip_header=1)
        data = data[np.random.default_rng(0).permutation(len(data))[:8000]]
        yield data[:, :-1], data[:, -1].astype(int)


def side_by_side(x, ticks):
    return np.hstack([x[i:len(x) - ticks + 1 + i] for i in range(ticks)])


def tail_threshold(scores, p):
    """The score that calibration gives the tail probability p."""
    start = np.quantile(scores, 0.95)
    excess = np.mean(scores[scores > start] - start)
    return start + excess * np.log(0.05 / p)


def rates(truth, said):
    hits, false = np.sum(said & (truth == 1)), np.sum(said & (truth == 0))
    missed, quiet = np.sum(~said & (truth == 1)), np.sum(~said & (truth == 0))
    return 2 * hits / (2 * hits + false + missed), false / (false + quiet), missed / (
        missed + hits)


def skab(out):
    files = list(skab_files())
    for name, ticks, settings in STATIC:
        scored = []
        for x, y in files:
            rows = side_by_side(x, ticks)
            fit = FIT - ticks + 1
            scores = v.Detector(name, rows[:fit], **settings).score(rows)
            scored.append((scores[fit:fit + HELD], scores[fit + HELD:], y[FIT + HELD:]))
        area = np.mean([roc_auc_score(y, after) for _, after, y in scored])
        for p in (1e-2, 1e-3, 1e-4):
            said = np.concatenate([after > tail_threshold(held, p)
                                   for held, after, _ in scored])
            truth = np.concatenate([y for _, _, y in scored])
            record(out, "skab", f"{name} {ticks} rows", p, area, *rates(truth, said))


def monitored(x, budget):
    """The score of every row in what the monitor writes about it; 1 = no verdict yet."""
    columns = [f"sensor_{c}" for c in range(x.shape[1])]
    with tempfile.TemporaryDirectory() as data:
        played = os.path.join(data, "played.csv")
        with open(played, "w", encoding="utf-8") as file:
            print("timestamp", *columns, sep=",", file=file)
            for i, row in enumerate(x):
                print(1_700_000_000 + i, *row, sep=",", file=file)
        subprocess.run([os.path.join(v.ROOT, "build", "release", "vedette"), "monitor",
                        "--config", "none", "--replay", played, "--data-dir", data,
                        "--no-terminal", "--no-desktop", "--no-dashboard",
                        "--no-metrics-history", "--no-anomalies-log", "--budget", str(budget),
                        *[word for c in columns for word in ("--feature", c)]],
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(data, "performance_log.csv"), encoding="utf-8") as file:
            return np.array([float(row["score"] or 1) for row in csv.DictReader(file)])


def monitor(out):
    files = list(skab_files())
    truth = [y[FIT + HELD:] for _, y in files]
    for budget, name in ((1, "a week"), (7, "a day"), (168, "an hour")):
        score = [monitored(x, budget)[FIT + HELD:] for x, _ in files]
        area = np.mean([roc_auc_score(y, -s) for y, s in zip(truth, score)])
        record(out, "skab", f"monitor, one false alarm {name}", None, area,
               *rates(np.concatenate(truth), np.concatenate(score) < 0))


class HalfSpaceTrees:
    """Scores a window of rows, then learns it; higher = more anomalous."""

    def __init__(self, first, trees=25, depth=15, seed=0):
        rng = np.random.default_rng(seed)
        self.low, self.span = first.min(axis=0), np.ptp(first, axis=0)
        self.span[self.span == 0] = 1
        d = first.shape[1]
        self.depth, self.least = depth, 0.1 * len(first)
        self.column = rng.integers(d, size=(trees, 1 << depth))
        self.split = np.empty((trees, 1 << depth))
        centre = rng.uniform(size=(trees, d))
        reach = 2 * np.maximum(centre, 1 - centre)
        boxes = [(centre - reach, centre + reach)]
        for level in range(depth):
            nodes = np.arange(1 << level, 2 << level)
            boxes = [box for i, node in enumerate(nodes) for box in self.halve(boxes[i], node)]
        self.mass = np.zeros((trees, 2 << depth))
        self.learn(first)

    def halve(self, box, node):
        low, high = box
        rows, column = np.arange(len(low)), self.column[:, node]
        middle = (low[rows, column] + high[rows, column]) / 2
        self.split[:, node] = middle
        left, right = high.copy(), low.copy()
        left[rows, column] = right[rows, column] = middle
        return [(low, left), (right, high)]

    def walk(self, x):
        """Nodes of every row on every level, trees x rows at a time."""
        z = (x - self.low) / self.span
        tree = np.arange(len(self.column))[:, None]
        node = np.ones((len(self.column), len(x)), dtype=int)
        yield node
        for _ in range(self.depth):
            value = z[np.arange(len(x)), self.column[tree, node]]
            node = 2 * node + (value >= self.split[tree, node])
            yield node

    def learn(self, x):
        self.mass[:] = 0
        for nodes in self.walk(x):
            for tree, row in enumerate(nodes):
                self.mass[tree] += np.bincount(row, minlength=self.mass.shape[1])

    def score(self, x):
        score = np.zeros((len(self.column), len(x)))
        open_ = np.ones(score.shape, dtype=bool)
        tree = np.arange(len(self.column))[:, None]
        for level, nodes in enumerate(self.walk(x)):
            mass = self.mass[tree, nodes]
            score = np.where(open_, mass * 2.0 ** level, score)
            open_ &= mass >= self.least
        return -score.sum(axis=0)


def half_space_trees(x, seed):
    model, scores = HalfSpaceTrees(x[:WINDOW], seed=seed), []
    for at in range(WINDOW, len(x), WINDOW):
        part = x[at:at + WINDOW]
        scores.append(model.score(part))
        if len(part) == WINDOW:
            model.learn(part)
    return np.concatenate(scores)


def fitted(name, refit, ticks=1, **settings):
    def run(x, seed):
        rows = side_by_side(x, ticks)
        rows = np.vstack([np.repeat(rows[:1], ticks - 1, axis=0), rows])
        scores = []
        for at in range(WINDOW, len(rows), WINDOW):
            if refit or at == WINDOW:
                detector = v.Detector(name, rows[max(0, at - MEMORY):at], seed=seed, **settings)
            scores.append(detector.score(rows[at:at + WINDOW]))
        return np.concatenate(scores)
    return run


def streamed(out):
    methods = {
        "isolation_forest fitted once": fitted("isolation_forest", False),
        "isolation_forest refitted": fitted("isolation_forest", True),
        "half-space trees": half_space_trees,
        "mahalanobis refitted": fitted("mahalanobis", True),
        "pca 10 rows refitted": fitted("pca", True, 10, variance=0.8),
    }
    for data, sets in (("skab", list(skab_files())), ("adbench", list(adbench_sets()))):
        for name, run in methods.items():
            areas = []
            for x, y in sets:
                truth = y[WINDOW:]
                if len(x) < 2 * WINDOW or truth.min() == truth.max():
                    continue
                if ("10 rows" in name) and data != "skab":
                    continue
                areas.append(np.mean([roc_auc_score(truth, run(x, seed)) for seed in range(3)]))
            if areas:
                record(out, "streamed " + data, name, None, np.mean(areas))


def record(out, data, name, p, area, f1=None, far=None, mar=None):
    row = [data, name, p, area, f1, far, mar]
    out.append(["" if c is None else f"{c:.3f}" if isinstance(c, float) and c != p else c
                for c in row])
    print(" ".join(str(c) for c in out[-1]), flush=True)


def main():
    out = []
    skab(out)
    monitor(out)
    streamed(out)
    path = os.path.join(v.ROOT, "bench", "streamed.csv")
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["data", "method", "tail_probability", "roc_auc", "f1",
                         "false_alarm_rate", "missed_alarm_rate"])
        writer.writerows(out)


if __name__ == "__main__":
    main()

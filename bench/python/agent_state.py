#!/usr/bin/env python3
"""What the agent should see of a row; writes bench/agent_state.csv.

    bench/agent_state.sh [SEEDS [JOBS]]

The same agent with the defaults and one state after another: the row's own columns
("features"), the surprises of the five members that need no labels ("surprises"), both, and
with each the share of the ten rows before that these members alone would have alerted on
("recent") or the time of day ("hour"). "log" is log(1 + surprise), the tail drawn in. "no
agent" is the members' combined surprise, labels unseen, an alert from a p of 1 %.

Surprises are made as the ensemble makes them: a training row is scored by members that have
not seen it, and those scores of normal rows are the calibration. In the labelled set the
members learn on normal_training; elsewhere on the normal rows of the training part, and five
folds of them score the training part.

Tests. cv: five stratified folds of labeled_training, all anomalies or so many of each training
part; "tuned" has the settings of accuracy.py's grid that do best on the folds, state by state.
test: labeled_test, which takes part in no choice. quiet: as cv, but the normal rows are 512 of
normal_training and of the folds, together. same kind, other kinds: the labels are of one of the
three things that happened in the recording (CPU, GPU, memory), normal rows as in cv; measured
on the rest of that kind, and on the other two. hour: every row gets a time of day that the
recording does not have: normal rows any, labelled anomalies one and the same hour, and those of
the test another one ("moved"), the same ("kept"), or all any ("any"). adbench: halves of 15
sets, each of 4,000 rows at most, all anomalies of the one or so many; those with too few in
the half are left out.

f1 and roc_auc are means over units, *_spread their standard deviations; units are seeds (of
folds and agent at once), for adbench the sets, each a mean over seeds. "tuned" and adbench get
half of the seeds. *_gain is the difference from "features" in the same unit, with its standard
deviation; better and worse count units by ROC area, p is Wilcoxon's signed-rank test of those
differences (from six units on). Seeds are of the same 210 rows: their spread says nothing about
another recording; the sets do.
"""

import csv
import ctypes
import itertools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy.stats import wilcoxon
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

import vedette as v
from accuracy import COLUMNS, GRIDS, combinations

MEMBERS = ("isolation_forest", "one_class_svm", "lof", "pca", "mahalanobis")
KINDS = {"cpu": (30, 110), "gpu": (110, 245), "memory": (245, 290)}  # rows of labeled_raw
RECENT, FOLDS, ROWS_MOST, QUIET = 10, 5, 4000, 512
FEW = (5, 10, 20)
TUNED = ("features", "surprises", "features + surprises", "features + log surprises")
SETS = sorted(f for f in os.listdir(os.path.join(v.DATA, "adbench"))
              if not f.startswith("reference"))


# ---- states ----

class Calibration(ctypes.Structure):
    _fields_ = [("knot", ctypes.c_double * 128), ("tail_start", ctypes.c_double),
                ("tail_mean_excess", ctypes.c_double), ("n", ctypes.c_double)]


v.LIB.vd_calibration_surprise.restype = ctypes.c_double
v.LIB.vd_calibration_surprise.argtypes = [ctypes.c_void_p, ctypes.c_double]
v.LIB.vd_surprise_combine.restype = ctypes.c_double


def surprise_columns(quiet_raw, raw):
    """Surprises of raw scores, a column a member, calibrated on those of the quiet rows."""
    out = np.empty(raw.shape)
    for k in range(raw.shape[1]):
        c, err = Calibration(), v.Error()
        scores = np.ascontiguousarray(quiet_raw[:, k])
        if v.LIB.vd_calibration_fit(ctypes.byref(c), v._at(scores),
                                    ctypes.c_size_t(len(scores)), ctypes.byref(err)) != 0:
            raise RuntimeError(err.text.decode())
        at = ctypes.addressof(c)
        out[:, k] = [v.LIB.vd_calibration_surprise(at, s) for s in raw[:, k]]
    return out


def combined(surprise):
    return np.array([v.LIB.vd_surprise_combine(v._at(row), None, ctypes.c_size_t(len(row)))
                     for row in np.ascontiguousarray(surprise)])


def fit_members(x, seed):
    return [v.Detector(name, x, contamination=0, seed=seed + k)
            for k, name in enumerate(MEMBERS)]


def raw_scores(members, x):
    return np.column_stack([m.score(x) for m in members])


def cross_fit(x, y, seed):
    """Raw scores of the rows by members that have not seen them, and members of all."""
    raw = np.empty((len(x), len(MEMBERS)))
    for fit, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        raw[held] = raw_scores(fit_members(x[fit][y[fit] == 0], seed), x[held])
    return raw, fit_members(x[y == 0], seed)


def recent_share(surprise):
    """Share of the RECENT rows before each one that no agent would have alerted on."""
    total = np.concatenate([[0], np.cumsum(combined(surprise) > 2)])
    at = np.arange(len(surprise))
    return (total[at] - total[np.maximum(0, at - RECENT)])[:, None] / RECENT


def clock(hour):
    return np.column_stack([np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi)])


def states(x, s, recent=None, hour=None):
    out = {"features": x, "surprises": s, "features + surprises": np.hstack([x, s])}
    if hour is None:
        log = np.log1p(s)
        out.update({"log surprises": log, "features + log surprises": np.hstack([x, log])})
    for name, more in (("recent", recent), ("hour", None if hour is None else clock(hour))):
        if more is not None:
            for key in ("features", "surprises", "features + surprises"):
                out[f"{key} + {name}"] = np.hstack([out[key], more])
    return out


# ---- one fit ----

def few(rng, rows, y, k):
    """The rows with at most k anomalies of theirs (None = all)."""
    odd = rows[y[rows] == 1]
    if k is not None and len(odd) > k:
        odd = rng.choice(odd, k, replace=False)
    return rows[(y[rows] == 0) | np.isin(rows, odd)]


def judge(agent, z, y):
    scores = agent.score(z)
    return (f1_score(y, scores > agent.threshold, zero_division=0), roc_auc_score(y, scores))


def judge_all(by_state, surprise, y, train, test, seed, settings=None):
    """{state: (F1, area)} of agents that learn on `train`."""
    out = {}
    for name, z in by_state.items():
        agent = v.Detector("agent", z[train], y[train], seed=seed, **(settings or {}))
        out[name] = judge(agent, z[test], y[test])
    total = combined(surprise[test])
    out["no agent"] = (f1_score(y[test], total > 2, zero_division=0),
                       roc_auc_score(y[test], total))
    return out


def mean_of(parts):
    """Mean of several {state: (F1, area)}."""
    return {name: tuple(np.mean([p[name] for p in parts], axis=0)) for name in parts[0]}


# ---- the labelled recording ----

class Recording:
    """labeled_raw in its order of time; which of its rows are for training."""

    def __init__(self):
        folder = os.path.join(v.DATA, "labeled")
        read = {name: v.read_csv(os.path.join(folder, f"{name}.csv"), COLUMNS + ["label"])
                for name in ("labeled_raw", "labeled_training", "labeled_test")}
        self.normal = v.read_csv(os.path.join(folder, "normal_training.csv"), COLUMNS)
        raw = read["labeled_raw"]
        place = {tuple(np.round(row, 6)): i for i, row in enumerate(raw)}
        self.x, self.y = raw[:, :-1], raw[:, -1].astype(int)
        # In the order of the files: the agent's batches depend on it.
        self.train, self.test = (np.array([place[tuple(np.round(row, 6))] for row in read[name]])
                                 for name in ("labeled_training", "labeled_test"))
        assert len(set(self.train) | set(self.test)) == len(raw) == 300

    def folds(self, seed):
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        for fit, held in split.split(self.train, self.y[self.train]):
            yield self.train[fit], self.train[held]

    def states(self, raw, train, hour=None):
        quiet = train[self.y[train] == 0]
        s = surprise_columns(raw[quiet], raw)
        recent = None if hour is not None else recent_share(s)
        return states(self.x, s, recent, hour), s


def task_cv(seed):
    r, rng = Recording(), np.random.default_rng(seed)
    raw = raw_scores(fit_members(r.normal, seed), r.x)
    out = {}
    for k in (None,) + FEW:
        parts = []
        for train, held in r.folds(seed):
            by_state, s = r.states(raw, train)
            parts.append(judge_all(by_state, s, r.y, few(rng, train, r.y, k), held, seed))
        out["labeled", "cv", k] = mean_of(parts)
    by_state, s = r.states(raw, r.train)
    out["labeled", "test", None] = judge_all(by_state, s, r.y, r.train, r.test, seed)
    return out


def task_tuned(seed):
    """As cv, once for each of the grid's settings; which to take is chosen when all are in."""
    r, out = Recording(), {}
    raw = raw_scores(fit_members(r.normal, seed), r.x)
    for i, settings in enumerate(combinations(GRIDS["agent"])):
        parts = []
        for train, held in r.folds(seed):
            by_state, s = r.states(raw, train)
            by_state = {name: by_state[name] for name in TUNED}
            parts.append(judge_all(by_state, s, r.y, train, held, seed, settings))
        out["labeled", f"grid {i} cv", None] = mean_of(parts)
        by_state, s = r.states(raw, r.train)
        by_state = {name: by_state[name] for name in TUNED}
        out["labeled", f"grid {i} test", None] = judge_all(by_state, s, r.y, r.train, r.test, seed,
                                                           settings)
    return out


def task_quiet(seed):
    r, rng, out = Recording(), np.random.default_rng(seed), {}
    x = np.vstack([r.x, r.normal])
    y = np.concatenate([r.y, np.zeros(len(r.normal), dtype=int)])
    parts = {k: [] for k in FEW}
    for train, held in r.folds(seed):
        quiet = train[y[train] == 0]
        more = rng.choice(len(r.normal), QUIET - len(quiet), replace=False) + len(r.x)
        train = np.concatenate([train, more])
        raw, members = cross_fit(x[train], y[train], seed)
        all_raw = raw_scores(members, x)
        all_raw[train] = raw
        s = surprise_columns(raw[y[train] == 0], all_raw)
        for k in FEW:
            parts[k].append(judge_all(states(x, s), s, y, few(rng, train, y, k), held, seed))
    for k in FEW:
        out["labeled", "quiet", k] = mean_of(parts[k])
    return out


def task_kinds(seed):
    r, rng, out = Recording(), np.random.default_rng(seed), {}
    raw = raw_scores(fit_members(r.normal, seed), r.x)
    kind = np.full(len(r.x), "", dtype=object)
    for name, (start, stop) in KINDS.items():
        kind[start:stop] = name
    for k in FEW[:2]:
        same, other = [], []
        for name in KINDS:
            for train, held in itertools.islice(r.folds(seed), 2):
                by_state, s = r.states(raw, train)
                odd = r.train[(r.y[r.train] == 1) & (kind[r.train] == name)]
                if len(odd) < k + 2:
                    continue
                taught = rng.choice(odd, k, replace=False)
                fit = np.concatenate([train[r.y[train] == 0], taught])
                quiet = held[r.y[held] == 0]
                rest = np.setdiff1d(odd, taught)
                others = r.train[(r.y[r.train] == 1) & (kind[r.train] != name) &
                                 (kind[r.train] != "")]
                agents = {z: v.Detector("agent", by_state[z][fit], r.y[fit], seed=seed)
                          for z in by_state}
                for where, rows in ((same, rest), (other, others)):
                    rows = np.concatenate([quiet, rows])
                    got = {z: judge(agents[z], by_state[z][rows], r.y[rows]) for z in by_state}
                    total = combined(s[rows])
                    got["no agent"] = (f1_score(r.y[rows], total > 2, zero_division=0),
                                       roc_auc_score(r.y[rows], total))
                    where.append(got)
        out["labeled", "same kind", k] = mean_of(same)
        out["labeled", "other kinds", k] = mean_of(other)
    return out


def task_hour(seed):
    r, rng, out = Recording(), np.random.default_rng(seed), {}
    raw = raw_scores(fit_members(r.normal, seed), r.x)
    for when in ("moved", "kept", "any"):
        parts = {k: [] for k in FEW[::2]}
        for train, held in itertools.islice(r.folds(seed), 3):
            hour = rng.uniform(0, 24, len(r.x))
            if when != "any":
                taught = rng.uniform(0, 24)
                odd = train[r.y[train] == 1]
                hour[odd] = (taught + rng.uniform(0, 1, len(odd))) % 24
                odd = held[r.y[held] == 1]
                later = 0 if when == "kept" else rng.uniform(3, 21, len(odd))
                hour[odd] = (taught + later + rng.uniform(0, 1, len(odd))) % 24
            by_state, s = r.states(raw, train, hour)
            for k in FEW[::2]:
                parts[k].append(judge_all(by_state, s, r.y, few(rng, train, r.y, k), held, seed))
        for k in FEW[::2]:
            out["labeled", f"hour {when}", k] = mean_of(parts[k])
    return out


# ---- adbench ----

def read_set(name, seed):
    data = np.genfromtxt(os.path.join(v.DATA, "adbench", name), delimiter=",", skip_header=1)
    x, y = data[:, :-1], data[:, -1].astype(int)
    if len(x) > ROWS_MOST:
        keep, _ = next(StratifiedShuffleSplit(1, train_size=ROWS_MOST, random_state=seed)
                       .split(x, y))
        x, y = x[keep], y[keep]
    return x, y


def task_adbench(name, seed):
    x, y = read_set(name, seed)
    rng, out = np.random.default_rng(seed), {}
    train, test = next(StratifiedShuffleSplit(1, train_size=0.5, random_state=seed).split(x, y))
    part, members = cross_fit(x[train], y[train], seed)
    raw = raw_scores(members, x)
    raw[train] = part
    s = surprise_columns(part[y[train] == 0], raw)
    for k in (None,) + FEW:
        if k is None or y[train].sum() > k:
            out["adbench/" + name[:-4], "halves", k] = judge_all(
                states(x, s), s, y, few(rng, train, y, k), test, seed)
    return out


# ---- the program's own figures ----

def check_program(seed=3):
    """`vedette compare` on files with the states as columns says the same."""
    r = Recording()
    raw = raw_scores(fit_members(r.normal, seed), r.x)
    by_state, s = r.states(raw, r.train)
    ours = judge_all(by_state, s, r.y, r.train, r.test, seed)
    program = os.path.join(v.ROOT, "build", "release", "vedette")
    for name, z in by_state.items():
        with tempfile.TemporaryDirectory() as folder:
            for file, rows in (("train", r.train), ("test", r.test)):
                with open(os.path.join(folder, file + ".csv"), "w", newline="",
                          encoding="utf-8") as f:
                    writer = csv.writer(f)
                    writer.writerow([f"c{i}" for i in range(z.shape[1])] + ["label"])
                    writer.writerows([repr(float(c)) for c in z[i]] + [r.y[i]] for i in rows)
            subprocess.run([program, "compare", "--config", "none", "--train", "train.csv",
                            "--test", "test.csv", "--detector", "agent", "--no-tune",
                            "--no-plots", "--seed", str(seed), "--quiet"], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL)
            with open(os.path.join(folder, "comparison_results.csv"), encoding="utf-8") as f:
                row = next(csv.DictReader(f))
        theirs = {k.lower(): value for k, value in row.items()}
        print(f"vedette compare, {name}: {row}; here {ours[name]}")
        assert abs(float(theirs["f1_score"]) - ours[name][0]) < 1e-3, name
        assert abs(float(theirs["roc_auc"]) - ours[name][1]) < 1e-3, name


# ---- together ----

def table(results, label):
    """Rows of one test: results is a list over units of {state: (F1, area)}."""
    base = np.array([u["features"] for u in results])
    for name in results[0]:
        got = np.array([u[name] for u in results])
        gain = got - base
        moved = gain[:, 1][np.abs(gain[:, 1]) > 1e-9]
        p = wilcoxon(moved).pvalue if len(moved) > 5 else np.nan
        yield label + [name, len(got)] + [
            f"{c:.4f}" for c in (got[:, 0].mean(), got[:, 0].std(), got[:, 1].mean(),
                                 got[:, 1].std(), gain[:, 0].mean(), gain[:, 0].std(),
                                 gain[:, 1].mean(), gain[:, 1].std())] + [
            int((gain[:, 1] > 1e-9).sum()), int((gain[:, 1] < -1e-9).sum()),
            "" if np.isnan(p) else f"{p:.3f}"]


def choose_tuned(per_unit):
    """Of the grid's settings those with the best sum of means, state by state."""
    grid = range(len(combinations(GRIDS["agent"])))
    cv = {i: per_unit["labeled", f"grid {i} cv", None] for i in grid}
    out = {"cv tuned": [], "test tuned": []}
    best = {name: max(grid, key=lambda i: sum(np.mean([u[name] for u in cv[i]], axis=0)))
            for name in cv[0][0]}
    for name, i in best.items():
        print("tuned", name, combinations(GRIDS["agent"])[i])
    for unit in range(len(cv[0])):
        for which in ("cv", "test"):
            out[f"{which} tuned"].append({
                name: per_unit["labeled", f"grid {i} {which}", None][unit][name]
                for name, i in best.items()})
    return out


def write(per_unit):
    rows = []
    for (data, test, k), units in per_unit.items():
        if data == "labeled" and not test.startswith("grid"):
            rows += table(units, [data, test, k or "all"])
    if any(key[1].startswith("grid") for key in per_unit):
        for test, units in choose_tuned(per_unit).items():
            rows += table(units, ["labeled", test, "all"])
    for k in (None,) + FEW:
        sets = {key[0]: mean_of(units) for key, units in per_unit.items()
                if key[0].startswith("adbench") and key[2] == k}
        if sets:
            rows += table(list(sets.values()), ["adbench/mean", "halves", k or "all"])
    for (data, test, k), units in per_unit.items():
        if data.startswith("adbench") and k is None:
            rows += table(units, [data, test, "all"])
    with open(os.path.join(v.ROOT, "bench", "agent_state.csv"), "w", newline="",
              encoding="utf-8") as file:
        file.write(" ".join(["# bench/agent_state.sh"] + sys.argv[1:]) + "\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["data", "test", "labelled_anomalies", "state", "units", "f1",
                         "f1_spread", "roc_auc", "roc_auc_spread", "f1_gain", "f1_gain_spread",
                         "roc_auc_gain", "roc_auc_gain_spread", "better", "worse", "p"])
        writer.writerows(rows)


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    fewer = range((seeds + 1) // 2)
    check_program()
    with ProcessPoolExecutor(jobs) as pool:
        tasks = [pool.submit(task, seed) for seed in range(seeds)
                 for task in (task_cv, task_quiet, task_kinds, task_hour)]
        tasks += [pool.submit(task_adbench, name, seed) for name in SETS for seed in fewer]
        tasks += [pool.submit(task_tuned, seed) for seed in fewer]
        per_unit = {}
        for i, task in enumerate(tasks):
            for key, value in task.result().items():
                per_unit.setdefault(key, []).append(value)
            print(f"{i + 1} of {len(tasks)}", flush=True)
            if i % 10 == 9 and i < len(tasks) - len(fewer):
                write(per_unit)  # a run that is stopped leaves what it has
    write(per_unit)


if __name__ == "__main__":
    main()

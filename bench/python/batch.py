"""What bench/batch.sh compares with: a table read, scaled, learned from and scored by pandas and
scikit-learn on one thread, and written with the scores.

    bench/python/batch.py FILE OUTPUT|-
"""
import os
import resource
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"


def now():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime, time.monotonic(), use.ru_maxrss // 1024


first = last = now()


def mark(step, since=None):
    global last
    cpu, wall, peak = now()
    before = since or last
    print(f"{step:34s} {cpu - before[0]:7.2f} s of CPU {wall - before[1]:7.2f} s  "
          f"peak {peak:5d} MB", flush=True)
    last = cpu, wall, peak


def main(path, output):
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import IsolationForest
    from sklearn.preprocessing import StandardScaler

    mark("  import")
    table = pd.read_csv(path)
    mark("  read_csv")
    x = StandardScaler().fit_transform(table.iloc[:, 1:].to_numpy(float))
    mark("  scale")
    forest = IsolationForest(n_estimators=100, contamination=0.001, random_state=42, n_jobs=1)
    forest.fit(x[np.random.default_rng(0).choice(len(x), min(len(x), 100_000), replace=False)])
    mark("  fit on 100,000 rows")
    score = np.concatenate([forest.decision_function(x[i:i + 100_000])
                            for i in range(0, len(x), 100_000)])
    mark("  score")
    if output != "-":
        table["score"] = score
        table["is_anomaly"] = np.where(score < 0, -1, 1)
        table.to_csv(output, index=False)
        mark("  to_csv")
    mark("peers" + (", scored CSV" if output != "-" else ""), (0.0, first[1], 0))


main(*sys.argv[1:3])

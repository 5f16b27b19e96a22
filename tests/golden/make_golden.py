#!/usr/bin/env python3
"""Makes the golden files from the reference implementations.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 xgboost==3.2.0
    venv/bin/python tests/golden/make_golden.py

Rewrites every .txt and xgboost.json beside this script, in a minute and a half; the same
versions give the same numbers. The rows are drawn from a fixed seed: two blobs and uniform
noise with columns of very different scale.
Each file holds its shape and then numbers, 17 digits, lines with # are comments.
"""

import os

import numpy as np
import sklearn
import xgboost
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, origin, *arrays):
    with open(os.path.join(HERE, name + ".txt"), "w", encoding="ascii") as out:
        out.write(f"# {origin}; scikit-learn {sklearn.__version__}, NumPy {np.__version__}\n")
        for array in arrays:
            array = np.atleast_2d(np.asarray(array, dtype=np.float64))
            out.write(f"{array.shape[0]} {array.shape[1]}\n")
            for row in array:
                out.write(" ".join(f"{v:.17g}" for v in row) + "\n")


def rows():
    rng = np.random.default_rng(20)
    mix = rng.standard_normal((5, 5))
    blobs = np.vstack([rng.standard_normal((260, 5)) @ mix,
                       3 + 0.3 * rng.standard_normal((120, 5))])
    train = np.vstack([blobs, rng.uniform(-8, 8, (20, 5))])
    test = np.vstack([blobs[::9] + 0.1 * rng.standard_normal((43, 5)),
                      rng.uniform(-12, 12, (37, 5))])
    scale = np.array([1, 100, 1e-3, 7, 2500])
    shift = np.array([0, 50, 1, -3, 1e5])
    return train * scale + shift, test * scale + shift


def main():
    train, test = rows()
    scaler = StandardScaler().fit(train)
    a, b = scaler.transform(train), scaler.transform(test)
    write("rows", "train and test rows", train, test)

    pca = PCA(n_components=3).fit(a)
    half = PCA(n_components=0.6).fit(a)
    write("pca", "mean squared reconstruction error: 3 components; 60 % of the variance",
          np.mean((b - pca.inverse_transform(pca.transform(b))) ** 2, axis=1),
          np.mean((b - half.inverse_transform(half.transform(b))) ** 2, axis=1))
    write("mahalanobis", "EmpiricalCovariance().mahalanobis",
          EmpiricalCovariance().fit(a).mahalanobis(b))

    lof = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(a)
    few = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(a[:60])
    write("lof", "-LocalOutlierFactor.score_samples: 20 neighbours; 5 neighbours on the "
          "first 60 rows; -negative_outlier_factor_ of the first",
          -lof.score_samples(b), -few.score_samples(b), -lof.negative_outlier_factor_)

    decisions = []
    for kernel in ("rbf", "linear", "poly", "sigmoid"):
        svm = OneClassSVM(kernel=kernel, nu=0.1, tol=1e-8, coef0=0.5,
                          gamma=0.05 if kernel == "sigmoid" else "scale").fit(a)
        decisions.append(-svm.decision_function(b))
    auto = OneClassSVM(kernel="rbf", nu=0.3, gamma="auto", tol=1e-8).fit(a)
    write("one_class_svm", "-OneClassSVM.decision_function: rbf, linear, poly, sigmoid with "
          "nu 0.1; rbf with nu 0.3 and gamma auto", *decisions, -auto.decision_function(b))

    label = (np.abs(a).max(axis=1) > 1.5).astype(int)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "seed": 1},
                            xgboost.DMatrix(train, label), 12)
    booster.save_model(os.path.join(HERE, "xgboost.json"))
    write("xgboost", f"XGBoost {xgboost.__version__}: predictions of xgboost.json",
          booster.predict(xgboost.DMatrix(test)))
    write("xgboost_shares", f"XGBoost {xgboost.__version__}: pred_contribs of xgboost.json, "
          "the mean last", booster.predict(xgboost.DMatrix(test), pred_contribs=True))


if __name__ == "__main__":
    main()

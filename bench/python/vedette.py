"""libvedette for the benches: builds a shared object from the release library, wraps it."""

import ctypes
import glob
import os
import subprocess
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("VEDETTE_DATA", os.path.join(ROOT, "..", "shared", "data"))


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("text", ctypes.c_char * 384),
                ("hint", ctypes.c_char * 256)]


def _build():
    archive = os.path.join(ROOT, "build", "release", "libvedette.a")
    if not os.path.exists(archive):
        raise SystemExit("first: cmake --preset release && ninja -C build/release")
    out = os.path.join(tempfile.mkdtemp(prefix="vedette-bench-"), "libbench.so")
    subprocess.run(["cc", "-std=c17", "-O2", "-fPIC", "-shared", "-o", out,
                    "-I" + os.path.join(ROOT, "include"),
                    os.path.join(ROOT, "bench", "python", "loop.c"), "-Wl,--whole-archive",
                    archive, "-Wl,--no-whole-archive", "-ljansson", "-lsvm", "-ldl",
                    "-lpthread", "-lm"], check=True)
    return ctypes.CDLL(out)


LIB = _build()
LIB.vd_detector_threshold.restype = ctypes.c_double
LIB.vd_detector_size.restype = ctypes.c_size_t
LIB.vd_detector_threshold.argtypes = LIB.vd_detector_size.argtypes = [ctypes.c_void_p]
LIB.vd_detector_free.argtypes = [ctypes.c_void_p]
LIB.vd_detector_free.restype = None


def find_xgboost():
    """Path of libxgboost.so: from the environment, or the installed Python package."""
    path = os.environ.get("VEDETTE_XGBOOST")
    if path is None:
        try:
            import xgboost
        except ImportError:
            return None
        path = glob.glob(os.path.join(os.path.dirname(xgboost.__file__), "lib", "*.so"))[0]
    return path


def _doubles(x):
    return np.ascontiguousarray(x, dtype=np.float64)


def _at(x):
    return None if x is None else x.ctypes.data_as(ctypes.c_void_p)


class Detector:
    """A fitted detector; scores are raw, higher = more anomalous."""

    def __init__(self, name, x, labels=None, normal=None, contamination=0.05, seed=0,
                 threads=1, **settings):
        x = _doubles(x)
        normal = None if normal is None else _doubles(normal)
        labels = None if labels is None else np.ascontiguousarray(labels, dtype=np.uint8)
        keys = (ctypes.c_char_p * len(settings))(*(k.encode() for k in settings))
        values = (ctypes.c_double * len(settings))(*settings.values())
        xgb = find_xgboost()
        err = Error()
        self.handle = ctypes.c_void_p()
        status = LIB.bench_fit(
            ctypes.byref(self.handle), name.encode(), _at(x), ctypes.c_size_t(len(x)),
            ctypes.c_size_t(x.shape[1]), _at(labels), _at(normal),
            ctypes.c_size_t(0 if normal is None else len(normal)), keys, values,
            ctypes.c_size_t(len(settings)), ctypes.c_double(contamination),
            ctypes.c_uint64(seed), ctypes.c_uint(threads),
            None if xgb is None else xgb.encode(), ctypes.byref(err))
        if status != 0:
            raise RuntimeError(err.text.decode() + "; " + err.hint.decode())
        self.d = x.shape[1]

    def score(self, x, threads=1):
        x = _doubles(x)
        out = np.empty(len(x))
        LIB.bench_score(self.handle, _at(x), ctypes.c_size_t(len(x)), _at(out),
                        ctypes.c_uint(threads))
        return out

    @property
    def threshold(self):
        return LIB.vd_detector_threshold(self.handle)

    @property
    def size(self):
        return LIB.vd_detector_size(self.handle)

    def __del__(self):
        if getattr(self, "handle", None):
            LIB.vd_detector_free(self.handle)


class Writer(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t),
                ("capacity", ctypes.c_size_t), ("status", ctypes.c_int)]


def xgboost_json(detector):
    """The model as XGBoost's own JSON."""
    w = Writer()
    if LIB.vd_xgboost_to_json(detector.handle, ctypes.byref(w)) != 0:
        raise RuntimeError("not an XGBoost model")
    data = ctypes.string_at(w.at, w.size)
    LIB.vd_writer_release(ctypes.byref(w))
    return data


def from_xgboost_json(data):
    """A detector of XGBoost's own JSON."""
    detector, err = Detector.__new__(Detector), Error()
    detector.handle = ctypes.c_void_p()
    if LIB.vd_xgboost_from_json(ctypes.byref(detector.handle), data,
                                ctypes.c_size_t(len(data)), ctypes.byref(err)) != 0:
        raise RuntimeError(err.text.decode())
    return detector


def shares(detector, x):
    """How much each column adds to each row's score."""
    x = _doubles(x)
    out = np.empty(x.shape)
    for row, share in zip(x, out):
        if LIB.vd_detector_explain(detector.handle, _at(row), _at(share)) != 0:
            raise RuntimeError("no shares")
    return out


def latency(detectors, x):
    """Microseconds of each row through all of the detectors."""
    x = _doubles(x)
    out = np.empty(len(x))
    handles = (ctypes.c_void_p * len(detectors))(*(d.handle for d in detectors))
    LIB.bench_latency(handles, ctypes.c_size_t(len(detectors)), _at(x),
                      ctypes.c_size_t(len(x)), ctypes.c_size_t(x.shape[1]), _at(out))
    return out


def read_csv(path, columns):
    """The named columns of a CSV as floats (quoted fields allowed)."""
    import csv
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(r[c]) for c in columns] for r in rows])

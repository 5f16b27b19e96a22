"""--json of every command that lists: one value, nothing else, its documented keys, and
times in the one form."""
import json
import re
import sqlite3
from contextlib import closing

import pytest

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")

# What does something, or writes a file or a text that is no list.
SILENT = {"monitor", "collect", "train", "split", "record", "generate", "burn", "completion",
          "version"}


def rows(path, label=True, n=120):
    lines = ["a,b" + (",label" if label else "")]
    for i in range(n):
        odd = label and i % 10 == 9
        lines.append(f"{i % 7 + 90 * odd},{i * i % 11}" + (f",{int(odd)}" if label else ""))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory, program):
    """A data directory with a hostile event, a model, a benchmark, a configuration."""
    import os
    import subprocess
    at = tmp_path_factory.mktemp("json")
    table = at / "table.csv"
    start = 1_700_000_000
    table.write_text("timestamp,cpu_percent,cpu_memory\n" + "".join(
        f"{start + i},{99 if 150 < i < 170 else i % 5},{40 + i % 3}\n" for i in range(240)))

    def run(*words):
        done = subprocess.run([program, "-c", "none", *map(str, words)], cwd=at,
                              capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": str(at), "TZ": "Asia/Kathmandu"})
        return done

    assert run("monitor", "--replay", table, "-d", "data", "--no-desktop",
               "--rule", "cpu_percent > 95 for 5s critical").returncode == 0
    with closing(sqlite3.connect(at / "data" / "vedette.db")) as db, db:
        db.execute("UPDATE event SET reason = CAST(X'1b5b324a41ff42' AS TEXT) WHERE id = 1")
    assert run("feedback", "1", "normal", "-d", "data").returncode == 0
    rows(at / "rows.csv")
    done = run("train", "rows.csv", "-o", "m.vedette", "--detector", "pca", "--no-tune")
    assert done.returncode == 0, done.stderr
    (at / "nab" / "kind").mkdir(parents=True)
    (at / "nab" / "kind" / "s.csv").write_text("timestamp,value\n" + "".join(
        f"2014-04-01 {i // 60:02}:{i % 60:02}:00,{i % 9}\n" for i in range(600)))
    (at / "v.yaml").write_text("port: 5001\nwebhook: http://localhost:1/secret\n"
                               "without-rule: [oom_kills]\n")
    (at / "v.yaml").chmod(0o600)
    return run


EVENT = {"id", "start", "peak", "end", "severity", "score", "alerted", "kind", "reason",
         "note", "explanation", "top", "suspects", "feedback", "feedback_time"}

# Words, the keys of the value (of the first row of a list), what it must hold.
LISTS = {
    "events": (("events", "-d", "data"), EVENT, lambda v: "\x1b[2JA\ufffdB" in v[0]["reason"]),
    "one event": (("events", 1, "-d", "data"), EVENT | {"recorder"},
                  lambda v: v["id"] == 1 and v["feedback"] == "normal"),
    "feedback": (("feedback", "list", "-d", "data"), {"event", "feedback", "time", "reason"},
                 lambda v: [e["event"] for e in v] == [1]),
    "probe": (("probe", "-n", 1), {"time_ns", "time", "metrics", "processes", "collectors"},
              lambda v: any(m["name"] == "load_1" for m in v["metrics"]) or v["metrics"]),
    "store info": (("store", "info", "-d", "data"), {"directory", "pid", "database", "files"},
                   lambda v: v["database"]["samples"]["rows"] == 240),
    "store clean": (("store", "clean", "-n", "-d", "data"),
                    {"dry_run", "samples", "minutes", "hours", "events"},
                    lambda v: v["dry_run"] is True),
    "config show": (("config", "show", "v.yaml"), {"options", "rules"},
                    lambda v: {r["name"]: r["value"] for r in v["options"]}["port"] == "5001"
                    and "secret" not in json.dumps([r["value"] for r in v["options"]])
                    and any(r["secret"] for r in v["options"])
                    and {r["rule"].split()[0]: r["on"] for r in v["rules"]}
                    == {**dict.fromkeys((r["rule"].split()[0] for r in v["rules"]), True),
                        "oom_kills": False}),
    "config check": (("config", "check", "v.yaml"), {"file", "ok"}, lambda v: v["ok"]),
    "model show": (("model", "show", "m.vedette"),
                   {"file", "bytes", "made", "columns", "detectors"},
                   lambda v: v["columns"] == ["a", "b"]
                   and v["detectors"][0]["name"] == "pca"),
    "model verify": (("model", "verify", "m.vedette"), {"file", "whole"}, lambda v: v["whole"]),
    "model settings": (("model", "settings"), {"detector", "settings"},
                       lambda v: all(s["default"] is not None
                                     for d in v for s in d["settings"])),
    "compare": (("compare", "--train", "rows.csv", "--test", "rows.csv", "--detector", "pca",
                 "--no-plots", "--out", "out"),
                {"detector", "settings", "train_time_s", "f1_score", "roc_auc"},
                lambda v: [r["detector"] for r in v] == ["pca"]),
    "detect": (("detect", "rows.csv"),
               {"rows", "anomalies", "columns", "left_out", "way", "why", "events", "worst",
                "scores", "seconds"}, lambda v: v["rows"] > 0),
    "evaluate": (("evaluate", "nab", "nab"), {"rows", "alarms", "scores", "series"},
                 lambda v: v["rows"] == 600 and len(v["series"]) == 1),
    "help": (("help",), {"name", "summary", "arguments", "options"},
             lambda v: any(o["choices"] for c in v for o in c["options"])),
    "help one": (("help", "status"), {"name", "summary", "arguments", "options"},
                 lambda v: len(v) == 1),
}


def times(value, key=""):
    """Every text that begins like a date."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from times(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from times(inner, key)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", value):
        yield value


@pytest.mark.parametrize("name", LISTS)
def test_json_of_what_lists(world, name):
    words, keys, holds = LISTS[name]
    done = world(*words, "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    first = value[0] if isinstance(value, list) else value
    assert keys <= set(first), set(first)
    assert holds(value), done.stdout[:2000]
    assert all(TIME.fullmatch(t) for t in times(value)), list(times(value))
    assert "\x1b" not in done.stdout
    if name in ("events", "one event", "feedback", "store info", "model show", "probe"):
        assert any(t.endswith("+05:45") for t in times(value)), "the zone is TZ's"


def test_every_command_lists_as_json_or_does_not_list(world):
    """status alone needs a monitor that runs: tests/system/test_status.py."""
    commands = {c["name"]: c for c in json.loads(world("help", "--json").stdout)}
    listing = {name for name, c in commands.items()
               if any(o["name"] == "json" for o in c["options"])}
    assert listing == {str(words[0]) for words, _, _ in LISTS.values()} | {"status"}
    assert set(commands) - listing == SILENT


def test_every_form_is_documented(world):
    from pathlib import Path
    text = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text()
    for words, keys, _ in LISTS.values():
        assert f"`{words[0]}" in text
        for key in keys - EVENT - {"recorder"}:
            assert f'"{key}"' in text, key


@pytest.mark.parametrize("words, code, message", [
    (("store", "export", "-d", "data", "-j"), 2, "writes CSV"),
    (("store", "info", "-d", "nowhere", "-j"), 1, "nowhere"),
    (("feedback", "1", "normal", "-d", "data", "-j"), 2, "--json is for list"),
    (("config", "check", "rows.csv", "-j"), 2, "rows.csv"),
    (("config", "example", "-j"), 2, "expected"),
    (("model", "show", "rows.csv", "-j"), 1, "rows.csv"),
    (("events", "99", "-d", "data", "-j"), 1, "no event 99"),
    (("help", "nothing", "-j"), 2, "unknown command"),
])
def test_a_failure_leaves_standard_output_empty(world, words, code, message):
    done = world(*words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert message in done.stderr

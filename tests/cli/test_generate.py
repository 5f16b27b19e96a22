"""vedette generate: made-up tables, the same bytes for the same options."""

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess

import pytest

HOST = ["timestamp", "cpu_percent", "cpu_frequency", "memory_percent", "memory_available_gb",
        "disk_read_mb", "disk_write_mb", "network_sent_mb", "network_recv_mb", "cpu_temp",
        "load_1", "processes"]
FAULTS = {"spike", "step", "leak", "network_burst", "disk_burst", "contention", "cascade",
          "flat_sensor", "off_schedule"}
NOISE = ["gaussian", "heavy", "correlated", "bursty", "counts", "rare_counts", "on_off", "daily",
         "periodic", "mixed"]


@pytest.fixture
def generate(vedette, tmp_path):
    def run(*words, **how):
        result = vedette("generate", *words, cwd=tmp_path, **how)
        assert result.returncode == 0, result.stderr
        return result.stdout
    return run


@pytest.fixture
def refused(vedette, tmp_path):
    def run(*words, code=2):
        result = vedette("generate", *words, cwd=tmp_path)
        assert result.returncode == code, result
        assert result.stdout == ""
        return result.stderr
    return run


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


# ---- the same bytes ----

@pytest.mark.parametrize("words, digest", [
    ((), "18d27aef637235db52e15663ce9f9995f2ddb8e1e26c5a9863ef50d5256b306b"),
    (("--seed", "7", "--rows", "3000", "--interval", "1s", "--machines", "3"), "ff11a0d1507386b2375eb13f4377eba57a467784b29c3a2ae7594d3e26d2ae0d"),
    (("--preset", "metrics2k"), "5e898b095b04c984b13e52fc6654738dce3f1ef90a90b339e2b4ae6404ad9a3e"),
    (("--preset", "mixed", "--rows", "2000", "--format", "jsonl"), "fed2650d46d8a71f21573a135d473464f30b0618a1fe5a43f5a6d3b9bf8329b2"),
])
def test_the_same_options_give_the_same_bytes_anywhere(generate, words, digest):
    text = generate(*words)
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert text == generate(*words, env={"TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8"})


MAIN = """
#include <stdio.h>
#include "vedette/simulate.h"
int main(void)
{
    for (int preset = 0; preset < 3; preset++) {
        struct vd_simulate_params p = vd_simulate_params_default();
        unsigned long long hash = 14695981039346656037u;
        vd_simulate *s;
        double x[16];
        size_t n;
        p.preset = preset;
        p.rows = 20000;
        p.interval_ns = 7000000000;
        vd_noise_kinds(&p.noise);
        vd_simulate_columns(preset, &n);
        if (vd_simulate_new(&s, &p, NULL) != VD_OK)
            return 1;
        for (int i = 0; i < 20000; i++) {
            vd_simulate_next(s, x);
            for (size_t k = 0; k < n * sizeof *x; k++)
                hash = (hash ^ ((unsigned char *)x)[k]) * 1099511628211u;
        }
        printf("%llx\\n", hash);
        vd_simulate_free(s);
    }
}
"""


def test_compilers_and_levels_of_optimisation_agree(tmp_path, program):
    """Compiled as the library is, that is without contraction of multiply and add."""
    root = program.parents[2]
    (tmp_path / "main.c").write_text(MAIN)
    sources = [str(p) for p in (root / "lib/evaluate").glob("simulate*.c")]
    sources += [str(root / "lib" / name) for name in
                ("evaluate/noise.c", "base/rng.c", "base/alloc.c", "base/status.c")]
    seen = {}
    for compiler in filter(shutil.which, ("gcc", "clang")):
        for level in ("-O0", "-O2", "-O3 -march=native"):
            out = tmp_path / f"{compiler}{level[2]}"
            subprocess.run([compiler, "-std=c17", *level.split(), "-ffp-contract=off",
                            f"-I{root}/include", f"-I{root}/lib", str(tmp_path / "main.c"),
                            *sources, "-lm", "-o", str(out)], check=True)
            seen[compiler, level] = subprocess.run([str(out)], check=True,
                                                   capture_output=True).stdout
    assert len(seen) >= 3
    assert len(set(seen.values())) == 1, seen


def test_the_settings_of_a_monitor_change_nothing(generate, tmp_path):
    text = generate("--rows", "100")
    (tmp_path / "vedette.yaml").write_text("interval: 5s\nseed: 9\n")
    assert generate("--config", "vedette.yaml", "--rows", "100") == text


# ---- what is in a table ----

def test_a_week_of_a_host(generate):
    rows = table(generate())
    assert list(rows[0]) == [*HOST, "label", "fault"]
    assert len(rows) == 10080
    assert rows[0]["timestamp"] == "2026-01-01T00:00:00Z"
    assert rows[-1]["timestamp"] == "2026-01-07T23:59:00Z"
    assert {row["fault"] for row in rows} == FAULTS | {""}
    assert all((row["label"] == "1") == (row["fault"] != "") for row in rows)
    assert 400 <= sum(row["label"] == "1" for row in rows) <= 560


def test_numbers_are_the_shortest_that_read_back(generate):
    for row in table(generate("--rows", "500")):
        for name in HOST[1:]:
            text, value = row[name], float(row[name])
            assert text == (str(int(value)) if name in ("cpu_frequency", "processes")
                            else str(value))


def test_share_and_kinds_of_faults(generate):
    none = table(generate("--share", "0"))
    assert {row["fault"] for row in none} == {""}
    rows = table(generate("--share", "0.2", "--fault", "leak", "--fault", "spike"))
    assert {row["fault"] for row in rows} == {"", "leak", "spike"}
    assert 0.15 < sum(row["label"] == "1" for row in rows) / len(rows) < 0.22


@pytest.mark.parametrize("words, times", [
    (("--interval", "1s"), ["00:00:00Z", "00:00:01Z", "00:00:02Z"]),
    (("--rate", "10"), ["00:00:00.000Z", "00:00:00.100Z", "00:00:00.200Z"]),
    (("--rate", "3"), ["00:00:00.000000000Z", "00:00:00.333333333Z", "00:00:00.666666666Z"]),
    (("--interval", "1h", "--start", "2026-01-01T01:00+01:00"),
     ["00:00:00Z", "01:00:00Z", "02:00:00Z"]),
    (("--start", "1767225600"), ["00:00:00Z", "00:01:00Z", "00:02:00Z"]),
])
def test_times(generate, words, times):
    rows = table(generate("--rows", "3", *words))
    assert [row["timestamp"] for row in rows] == ["2026-01-01T" + t for t in times]


def test_json_lines_say_the_same_as_the_table(generate):
    words = ("--rows", "400", "--share", "0.3", "--machines", "2")
    rows, lines = table(generate(*words)), generate(*words, "--format", "jsonl").splitlines()
    assert len(rows) == len(lines) == 800
    for row, line in zip(rows, map(json.loads, lines)):
        assert list(line) == list(row)
        assert line["timestamp"] == row["timestamp"] and line["machine"] == row["machine"]
        assert line["fault"] == (row["fault"] or None)
        assert all(line[name] == float(row[name]) for name in [*HOST[1:], "label"])


def test_labels_in_a_file_of_their_own(generate, tmp_path):
    words = ("--rows", "3000", "--seed", "3")
    both = table(generate(*words))
    said = generate(*words, "-o", "rows.csv", "--labels", "labels.csv")
    rows = table((tmp_path / "rows.csv").read_text())
    labels = table((tmp_path / "labels.csv").read_text())
    odd = sum(row["label"] == "1" for row in both)
    assert list(rows[0]) == HOST and list(labels[0]) == ["timestamp", "label", "fault"]
    assert [{**row, **label} for row, label in zip(rows, labels)] == both
    assert said.startswith(f"rows.csv: 3000 rows, {odd} of them anomalies: ")


def test_machines_in_a_column_or_in_files_of_their_own(generate, tmp_path):
    rows = table(generate("--rows", "200", "--machines", "3"))
    assert [row["machine"] for row in rows[:6]] == ["host-1", "host-2", "host-3"] * 2
    generate("--rows", "200", "--machines", "3", "-o", "host-{}.csv", "-l", "odd-{}.csv")
    for number in (1, 2, 3):
        own = table((tmp_path / f"host-{number}.csv").read_text())
        labels = table((tmp_path / f"odd-{number}.csv").read_text())
        of = [row for row in rows if row["machine"] == f"host-{number}"]
        assert [{"machine": f"host-{number}", **row, **label}
                for row, label in zip(own, labels)] == of
    assert len({(tmp_path / f"host-{n}.csv").read_text() for n in (1, 2, 3)}) == 3
    # A host is the same, however many others there are.
    assert table(generate("--rows", "200"))[7]["cpu_percent"] == rows[21]["cpu_percent"]


def test_the_sample_of_2000_rows(generate, tmp_path):
    generate("--preset", "metrics2k", "-o", "m.csv", "-l", "l.csv", "--seed", "5")
    generate("--preset", "metrics2k", "-o", "stale.csv", "--exact-original", "--seed", "5")
    rows = table((tmp_path / "m.csv").read_text())
    stale = table((tmp_path / "stale.csv").read_text())
    labels = table((tmp_path / "l.csv").read_text())
    assert len(rows) == 2000 and list(rows[0]) == HOST[:9]
    assert rows[1]["timestamp"] == "2026-01-01 00:01:00"
    assert rows[25]["cpu_percent"] == "92.5" and rows[25]["cpu_frequency"] == "2400.0"
    assert [rows[i]["memory_percent"] for i in range(40, 46)] == [
        "65.0", "70.0", "75.0", "80.0", "85.0", "90.0"]
    assert [rows[i]["disk_write_mb"] for i in range(40, 46)] == [
        "45.2", "53.2", "61.2", "69.2", "77.2", "85.2"]
    assert rows[60]["network_recv_mb"] == "45.6" and rows[80]["disk_write_mb"] == "98.7"
    differ = [i for i in range(2000) if rows[i] != stale[i]]
    assert differ == [25, 40, 41, 42, 43, 44, 45]
    assert all(abs(16 - 0.16 * float(row["memory_percent"])
                   - float(row["memory_available_gb"])) < 0.0061 for row in rows)
    assert [i for i, row in enumerate(labels) if row["fault"]] == [25, *range(40, 46), 60, 80]
    assert 60 < sum(row["label"] == "1" for row in labels) < 150


@pytest.mark.parametrize("kind", NOISE)
def test_noise(generate, kind):
    rows = table(generate("--preset", kind, "--rows", "1000"))
    assert "label" not in rows[0] and rows[1]["timestamp"] == "2026-01-01T00:00:01Z"
    values = [float(row["disk_read_mb"]) for row in rows]
    assert 0 <= min(values) and max(values) <= 90
    assert kind == "rare_counts" or len(set(values)) > 1


def test_our_own_reader_takes_it(generate, vedette, tmp_path):
    generate("--rows", "3000", "-o", "rows.csv")
    result = vedette("train", "--detector", "pca", "rows.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "processes" in result.stdout + result.stderr or "3000" in result.stdout


# ---- what goes wrong ----

@pytest.mark.parametrize("words, text", [
    (("--rows", "0"), "--rows"),
    (("--share", "0.6"), "--share"),
    (("--share", "-1"), "--share"),
    (("--fault", "flood"), "flood"),
    (("--preset", "windy"), "windy"),
    (("--start", "yesterday noon"), "--start: 'yesterday noon' is no time"),
    (("--start", "1969-12-31"), "1970"),
    (("--rows", "1000000000000", "--interval", "1h"), "2090"),
    (("--rate", "5", "--interval", "1s"), "--rate"),
    (("--preset", "metrics2k", "--fault", "leak"), "--fault"),
    (("--preset", "counts", "--share", "0.1"), "--share"),
    (("--exact-original",), "--exact-original"),
    (("--machines", "2", "-o", "x-{}.csv", "-l", "labels.csv"), "{}"),
    (("-o", "same.csv", "-l", "same.csv"), "same file"),
    (("-o", "x" * 5000), "too long"),
    (("rows.csv",), "rows.csv"),
])
def test_what_cannot_be_is_said_and_leaves_nothing(refused, tmp_path, words, text):
    before = set(os.listdir(tmp_path))
    assert text in refused(*words)
    assert set(os.listdir(tmp_path)) == before


def test_a_file_that_is_there_is_kept(refused, generate, tmp_path):
    (tmp_path / "rows.csv").write_text("mine\n")
    assert "--force" in refused("-o", "rows.csv", code=1)
    assert (tmp_path / "rows.csv").read_text() == "mine\n"
    generate("-o", "rows.csv", "--force", "--rows", "5")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 6


def test_a_full_disk_is_told(refused, tmp_path):
    assert "/dev/full" in refused("--rows", "100000", "-o", "/dev/full", "--force", code=1)
    refused("-o", "rows.csv", "--labels", "/dev/full", "--force", code=1)
    assert not (tmp_path / "rows.csv").exists()


def test_a_pipe_that_takes_no_more_is_told(program):
    with open("/dev/full", "w") as full:
        result = subprocess.run([program, "generate"], stdout=full, stderr=subprocess.PIPE,
                                text=True)
    assert result.returncode == 1 and "could not be written" in result.stderr

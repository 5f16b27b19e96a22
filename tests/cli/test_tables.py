"""The same rows in every form that exports have: all commands read the same table."""
import datetime as dt
import gzip
import os
import random
import shutil
import sqlite3
import subprocess
import zlib

import pytest

N = 90
START = dt.datetime(2026, 3, 20, 8, 0, 0)     # no day that could be a month


def rows(n=N, step=1.0, start=START, seed=3):
    rng = random.Random(seed)
    for i in range(n):
        yield (start + dt.timedelta(seconds=i * step),
               [round(rng.uniform(10, 20), 2), round(rng.uniform(40, 41), 2),
                round(rng.uniform(1000, 9000), 1)])


NAMES = ["cpu_percent", "memory_percent", "disk_read_mb"]


def table(time=lambda t: t.strftime("%Y-%m-%d %H:%M:%S"), number=str, sep=",", head="timestamp",
          names=tuple(NAMES), before="", end="\n", index=False, n=N, step=1.0, start=START,
          quote=False):
    """Text of a table whose parts are written as these functions do."""
    cell = (lambda x: f'"{x}"') if quote else (lambda x: x)
    heads = ([cell("")] if index else []) + ([cell(head)] if head else [])
    lines = [sep.join(heads + [cell(name) for name in names])]
    for i, (when, values) in enumerate(rows(n, step, start)):
        cells = ([cell(str(i + 1))] if index else []) + ([cell(time(when))] if head else [])
        lines.append(sep.join(cells + [number(v) for v in values]))
    return before + end.join(lines) + end


def epoch(unit=1):
    return lambda t: str(int(t.replace(tzinfo=dt.timezone.utc).timestamp() * unit))


def as_(form):
    return lambda t: t.strftime(form)


def comma(x):
    return str(x).replace(".", ",")


def german(x):
    return f"{x:,}".replace(",", "_").replace(".", ",").replace("_", ".")


def berlin(t):
    return (t + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+01:00")


FORMS = {
    "plain": table(),
    "no last newline": table().rstrip("\n"),
    "crlf": table(end="\r\n"),
    "utf-8 mark": table(before="\ufeff"),
    "sep line": table(before="sep=;\n", sep=";"),
    "sep line, mark, crlf": table(before="\ufeffsep=\t\r\n", sep="\t", end="\r\n"),
    "tabs": table(sep="\t"),
    "bars": table(sep="|"),
    "semicolons": table(sep=";"),
    "trailing separators": table().replace("\n", ",\n"),
    "comment before": table(before="# made by a logger\n# version 2\n"),
    "names in a comment": table(before="# ", sep=";"),
    "names again": "".join(line + ("" if i != 40 else table().splitlines(True)[0])
                           for i, line in enumerate(table().splitlines(True))),
    "quoted": table(quote=True),
    "pandas index": table(index=True),
    "R write.csv": table(index=True, quote=True),
    "R write.table": table(index=True, sep=" ", quote=True,
                           time=as_("%Y-%m-%dT%H:%M:%S")).replace('"" ', "", 1),
    "blanks": table(sep="   ", time=as_("%Y-%m-%dT%H:%M:%S")),
    "blanks in the time": table(sep=" "),
    "decimal comma": table(sep=";", number=comma),
    "decimal comma, tabs": table(sep="\t", number=comma),
    "decimal comma, quoted": table(number=lambda x: f'"{comma(x)}"'),
    "german thousands": table(sep=";", number=german),
    "us thousands": table(number=lambda x: f'"{x:,}"'),
    "swiss thousands": table(number=lambda x: f"{x:,}".replace(",", "'")),
    "french thousands": table(sep=";", number=lambda x: comma(f"{x:,}".replace(",", "\u202f"))),
    "percent": table(number=lambda x: f"{x}%"),
    "percent, blank, comma": table(sep=";", number=lambda x: comma(x) + " %"),
    "exponents": table(number=lambda x: f"{x:.6e}"),
    "plus signs": table(number=lambda x: f"+{x}"),
    "iso T": table(time=as_("%Y-%m-%dT%H:%M:%S")),
    "iso Z": table(time=as_("%Y-%m-%dT%H:%M:%SZ")),
    "iso offset": table(time=berlin),
    "iso offset, no colon": table(time=lambda t: berlin(t).replace("+01:00", "+0100")),
    "iso offset, hours": table(time=lambda t: berlin(t).replace("+01:00", "+01")),
    "iso UTC": table(time=as_("%Y-%m-%d %H:%M:%S UTC")),
    "fraction": table(time=as_("%Y-%m-%d %H:%M:%S.000000")),
    "fraction, comma": table(time=as_("%Y-%m-%d %H:%M:%S,000"), sep=";"),
    "fraction, nine": table(time=as_("%Y-%m-%dT%H:%M:%S.000000000Z"), head="_time"),
    "slashes": table(time=as_("%Y/%m/%d %H:%M:%S")),
    "points, year first": table(time=as_("%Y.%m.%d %H:%M:%S")),
    "vmstat -t": "procs ---memory--- ------timestamp-----\n" + "".join(
        line + (table(sep="  ", head="", n=0) if i == 40 else "")
        for i, line in enumerate(
            (" " + " ".join([*line.split(",")[1:], line.split(",")[0]]) + "\n")
            .replace("timestamp", "UTC") for line in table().splitlines())),
    "compact": table(time=as_("%Y%m%dT%H%M%SZ")),
    "compact digits": table(time=as_("%Y%m%d%H%M%S")),
    "german": table(time=as_("%d.%m.%Y %H:%M:%S"), sep=";", number=comma, head="Datum"),
    "german, short year": table(time=as_("%d.%m.%y %H:%M:%S"), sep=";", head="Zeit"),
    "british": table(time=as_("%d/%m/%Y %H:%M:%S"), head="Time"),
    "dashes, day first": table(time=as_("%d-%m-%Y %H:%M:%S"), head="Time"),
    "us": table(time=as_("%m/%d/%Y %H:%M:%S"), head="Date"),
    "us, AM": table(time=as_("%m/%d/%Y %I:%M:%S %p"), head="Time"),
    "us, am": table(time=lambda t: t.strftime("%m/%d/%Y %I:%M:%S ") + "am", head="Time"),
    "us, no zeros": table(time=lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M:%S} AM"),
    "month by name": table(time=as_("%d %b %Y %H:%M:%S"), head="time"),
    "month by name, us": table(time=lambda t: t.strftime('"%b %d, %Y %I:%M:%S %p"')),
    "ctime": table(time=as_("%a %b %d %H:%M:%S %Y"), head="time"),
    "web log": table(time=as_("%d/%b/%Y:%H:%M:%S +0000"), head="time"),
    "mail": table(time=lambda t: t.strftime('"%a, %d %b %Y %H:%M:%S +0000"'), head="Date"),
    "typeperf": table(time=lambda t: t.strftime('"%m/%d/%Y %H:%M:%S.000"'),
                      head='"(PDH-CSV 4.0) (Coordinated Universal Time)(0)"'),
    "date and time": table(time=as_("%Y-%m-%d,%H:%M:%S"), head="Date,Time"),
    "date and time, german": table(time=as_("%d.%m.%Y;%H:%M:%S"), head="Datum;Uhrzeit", sep=";",
                                   number=comma),
    "time and date": table(time=as_("%I:%M:%S %p,%m/%d/%Y"), head="Time,Date"),
    "date as a number, time": table(time=as_("%Y%m%d,%H:%M:%S"), head="date,time"),
    "epoch": table(time=epoch(), head="time"),
    "epoch ms": table(time=epoch(1000), head="time"),
    "epoch us": table(time=epoch(10**6), head="_time"),
    "epoch ns": table(time=epoch(10**9), head="time"),
    "epoch, fraction": table(time=lambda t: epoch()(t) + ".000", head="ts"),
    "epoch, decimal comma": table(time=lambda t: epoch()(t) + ",000", head="ts", sep=";",
                                  number=comma),
    "epoch by any name": table(time=epoch(), head="kj3"),
    "zabbix": table(time=epoch(), head="clock"),
    "collectd": table(time=lambda t: epoch()(t) + ".000", head="epoch"),
    "elastic": table(time=lambda t: t.strftime('"%b %d, %Y @ %H:%M:%S.000"'), head="@timestamp"),
    "splunk": table(time=as_("%Y-%m-%dT%H:%M:%S.000+0000"), head="_time"),
    "datetime by any name": table(head="wann"),
    "unnamed datetime": table(head='""'),
    "name with a unit": table(time=epoch(1000), head="Time (ms)"),
    "name with a zone": table(head="Timestamp (UTC)"),
    "newest first": "".join([table().splitlines(True)[0], *reversed(table().splitlines(True)[1:])]),
    "shuffled": "".join([table().splitlines(True)[0],
                         *random.Random(1).sample(table().splitlines(True)[1:], N)]),
}
# Elastic's form with an @ is none that is read; it is told below.
ELASTIC = FORMS.pop("elastic")


@pytest.fixture
def played(vedette, tmp_path):
    """What a replay of a text leaves in metrics_history.csv, and what it says."""
    def run(text, *options, zone="UTC"):
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        data = tmp_path / f"data-{zlib.crc32(repr((text, options)).encode())}"
        done = vedette("-c", "none", "monitor", "--replay", path, "--data-dir", data,
                       "--no-dashboard", "--no-desktop", *options, cwd=tmp_path,
                       env={"TZ": zone, "LC_ALL": "C.UTF-8"})
        history = data / "metrics_history.csv"
        done.history = history.read_text() if history.exists() else ""
        return done
    return run


def values(history):
    """Local time and the three metrics of each row; the verdicts are of no matter here."""
    lines = [line.split(",") for line in history.splitlines()[1:]]
    return [(cells[0][:23], *(float(cells[i]) for i in (1, 3, 5))) for cells in lines]


EXPECTED = [(f"{when:%Y-%m-%dT%H:%M:%S}.000", *numbers) for when, numbers in rows()]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_table(played, form):
    done = played(FORMS[form])
    assert done.returncode == 0, done.stderr
    assert values(done.history) == EXPECTED, done.stderr
    assert f"{N} rows" in done.stderr and "a row every 1 s" in done.stderr


def said(stderr):
    """The lines about a table, without its path and its verdicts on labels."""
    return [line.split("t.csv", 1)[1] for line in stderr.splitlines()
            if "t.csv" in line and "error" not in line]


def labelled(text):
    """A last column with labels."""
    for sep in ("\t", ";", "|", ","):
        first = text.removeprefix("\ufeff").removeprefix("# ")
        lines = text.splitlines(True)
        head = next(i for i, line in enumerate(lines) if "cpu_percent" in line)
        if sep in lines[head]:
            return "".join(
                line if i < head else
                line.rstrip("\r\n") + sep +
                ("label" if i == head else str(int(i % 5 == 0))) + "\n"
                for i, line in enumerate(lines)), first
    return None, None


@pytest.mark.parametrize("form", [
    "plain", "sep line", "quoted", "pandas index", "decimal comma", "german thousands", "german",
    "us, AM", "date and time", "epoch", "epoch by any name", "typeperf", "newest first",
    "comment before"])
def test_all_commands_say_the_same_of_a_table(played, vedette, tmp_path, form):
    text, _ = labelled(FORMS[form])
    played(text)
    told = said(played(text).stderr)
    trained = vedette("train", "t.csv", "--no-tune", "--detector", "pca", cwd=tmp_path,
                      env={"TZ": "UTC"})
    assert trained.returncode == 0, trained.stderr
    assert said(trained.stderr) == told and 'left out: ' in told[1]
    assert '"label" (label)' in told[1] and "3 columns" in told[1]
    done = vedette("split", "t.csv", "--train", "a.csv", "--test", "b.csv", cwd=tmp_path)
    assert done.returncode == 0 and said(done.stderr)[1] == told[1]
    done = vedette("compare", "--train", "a.csv", "--test", "b.csv", "--no-tune", "--no-plots",
                   "--detector", "pca", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(told[1].split(": ", 1)[1]) == 2


# ---- what cannot be meant ----

SERIES = "".join(f"{w:%Y-%m-%dT%H:%M:%SZ},{f},{v}\n" for w, vs in rows()
                 for f, v in zip(("cpu", "mem"), vs))
REFUSED = {
    "empty": ("", "it is empty"),
    "names alone": ("time,a,b\n", "no rows"),
    "no names": ("".join(table().splitlines(True)[1:]), "first line has to name"),
    "no names, epoch": ("".join(table(time=epoch()).splitlines(True)[1:]), "has to name"),
    "no names, a host": ("".join("host1," + line for line in table().splitlines(True)[1:]),
                         "has to name"),
    "twins": (table(names=("cpu_percent", "cpu_percent", "c")), 'two columns are called "cpu_p'),
    "aliases": (table(names=("memory_percent", "cpu_memory", "c")), "the same metric"),
    "no numbers": ("time,a\n2026-03-20,x\n2026-03-21,y\n", '"a" (text)'),
    "json lines": ('{"time": 1, "cpu": 2}\n' * 5, "it is JSON"),
    "json": ('[{"time": 1, "cpu": 2}]', "it is JSON"),
    "json behind a mark": ('\ufeff\n {"time": 1}\n', "it is JSON"),
    "html": ("<html><table>", "HTML"),
    "gzip twice": (gzip.compress(gzip.compress(b"time,a")), "compressed (gzip) twice"),
    "gzip, head alone": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "ends too early"),
    "gzip, two bytes": (b"\x1f\x8b", "ends too early"),
    "gzip, cut": (gzip.compress(table().encode())[:-300], "ends too early"),
    "gzip, sum cut": (gzip.compress(table().encode())[:-1], "ends too early"),
    "gzip, wrong sum": (gzip.compress(table().encode())[:-8] + bytes(8), "gzip) and damaged"),
    "gzip, no deflate": (gzip.compress(table().encode())[:10] + b"\xff" * 99, "damaged"),
    "gzip, more behind": (gzip.compress(table().encode()) + b"more", "gzip) and damaged"),
    "gzip of nothing": (gzip.compress(b""), "it is empty"),
    "gzip of json": (gzip.compress(b'{"a": 1}\n' * 9), "it is JSON"),
    "gzip of zeros": (gzip.compress(bytes(300 << 20), 1), "NUL byte"),
    "bzip2": (b"BZh91AY&SY", "compressed (bzip2)"),
    "xlsx": (b"PK\x03\x04\x14\x00", "spreadsheet"),
    "utf-16": (table().encode("utf-16"), "UTF-16"),
    "utf-16, no mark": (table().encode("utf-16-le"), "UTF-16"),
    "nul": (table().replace("10,", "1\0,"), "NUL byte"),
    "nmon": ("AAA,progname,nmon\nAAA,time,08:00\n", "nmon"),
    "sar": ("Linux 6.1.0 (host) \t03/20/26 \t_x86_64_\t(2 CPU)\n", "sadf -d"),
    "long row": (table().replace("\n", "\n", 1) + "2026-03-20 09:00:00,1,2,3,4\n",
                 "t.csv:92: the row has 5 fields"),
    "commas in numbers": (table(number=comma), "fields, the first line 4"),
    "open quote": (table() + '"2026-03-20 09:00:00,1,2,3\n', "t.csv:92: a quote is not closed"),
    "both signs": (table(sep=";") + "2026-03-20 09:00:00;1,55;2;3\n", "t.csv:92: column"),
    "both orders": ("time,a\n20/03/2026,1\n03/21/2026,2\n", "day first"),
    "flux": (",result,_time,_field,_value\n" +
             "".join(f",,{line}" for line in SERIES.splitlines(True)), '"_field" says which'),
    "grafana": ("Time,Series,Value\n" + SERIES, '"Series" says which'),
    "no times": (ELASTIC, "no number"),
}


@pytest.mark.parametrize("form", [f for f in REFUSED if f != "no times"])
def test_what_cannot_be_meant_is_refused(played, vedette, tmp_path, form):
    text, word = REFUSED[form]
    for done in (played(text), vedette("train", "t.csv", cwd=tmp_path),
                 vedette("split", "t.csv", cwd=tmp_path)):
        if "aliases" in form and "monitor" not in done.args:
            continue
        if "split" in done.args and form in ("twins", "no numbers", "flux", "grafana"):
            continue
        assert done.returncode == 1, done.stderr
        assert word in done.stderr and "t.csv" in done.stderr, done.stderr
        assert done.stderr.count("error") == 1


def test_what_is_no_file_is_refused(vedette, tmp_path):
    import os
    os.mkfifo(tmp_path / "fifo")
    for path, word in (("fifo", "FIFO"), ("/dev/zero", "device"), (".", "directory"),
                       ("absent.csv", "No such file")):
        for command in (["monitor", "--replay", path, "--no-store", "--no-dashboard"],
                        ["train", path], ["split", path], ["compare", "--data", path]):
            done = vedette("-c", "none", *command, cwd=tmp_path, timeout=20)
            assert done.returncode in (1, 2) and word in done.stderr, done.stderr


@pytest.mark.parametrize("path", ["-", "/dev/stdin"])
def test_a_pipe_is_read_to_its_end(vedette, tmp_path, path):
    (tmp_path / "t.csv").write_text(table())
    with subprocess.Popen(["cat", tmp_path / "t.csv"], stdout=subprocess.PIPE) as cat:
        done = vedette("-c", "none", "monitor", "--replay", path, "--no-store",
                       "--no-dashboard", cwd=tmp_path, stdin=cat.stdout)
    assert done.returncode == 0 and f"{N} rows" in done.stderr, done.stderr


@pytest.mark.parametrize("form", ["utf-16", "utf-16, no mark", "json lines", "json",
                                  "json behind a mark", "gzip, cut", "gzip of json"])
def test_what_comes_through_a_pipe_is_looked_at_as_well(vedette, tmp_path, form):
    text, word = REFUSED[form]
    (tmp_path / "t").write_bytes(text if isinstance(text, bytes) else text.encode())
    with subprocess.Popen(["cat", tmp_path / "t"], stdout=subprocess.PIPE) as cat:
        done = vedette("-c", "none", "monitor", "--replay", "-", "--no-store",
                       "--no-dashboard", cwd=tmp_path, stdin=cat.stdout)
    assert done.returncode == 1 and word in done.stderr, done.stderr
    assert "standard input" in done.stderr, done.stderr
    assert any(do in done.stderr for do in ("save it as CSV in UTF-8", "write it as CSV",
                                            "gzip -t FILE")), done.stderr


# ---- gzip ----

@pytest.mark.parametrize("packed", [
    gzip.compress(table().encode()),
    gzip.compress(table().encode(), 0),
    gzip.compress(table()[:1000].encode()) + gzip.compress(table()[1000:].encode()),
    gzip.compress(b"") + gzip.compress(table().encode()) + gzip.compress(b""),
], ids=["one", "stored", "two members", "empty members"])
def test_gzip_is_unpacked(vedette, tmp_path, packed):
    (tmp_path / "t.csv.gz").write_bytes(packed)
    (tmp_path / "t.csv").write_text(table())
    told = []
    for name in ("t.csv", "t.csv.gz", "-"):
        with open(tmp_path / "t.csv.gz", "rb") as file, \
             subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            done = vedette("-c", "none", "monitor", "--replay", name, "--no-store",
                           "--no-dashboard", cwd=tmp_path, stdin=cat.stdout)
        assert done.returncode == 0 and f"{N} rows" in done.stderr, done.stderr
        told.append([line.split("rows", 1)[1] for line in done.stderr.splitlines()
                     if f"{N} rows" in line])
    assert told[0] == told[1] == told[2]


def test_a_bomb_costs_no_more_than_the_bound(vedette, tmp_path):
    one, more = zlib.compressobj(1, wbits=31), bytes(1 << 20)
    with open(tmp_path / "bomb.csv.gz", "wb") as bomb:
        for _ in range(1024):
            bomb.write(one.compress(more))
        bomb.write(one.flush())
    done = vedette("split", "bomb.csv.gz", cwd=tmp_path, measured=True)
    assert done.returncode == 1 and "NUL byte" in done.stderr, done.stderr
    # AddressSanitizer keeps what was freed for a while: 256 MiB.
    quarantine = 256 << 10 if "asan" in os.environ.get("VEDETTE_BUILD", "") else 0
    assert done.peak_kb <= (100 << 10) + quarantine


@pytest.mark.parametrize("way", ["gzip", "zstd", "pipe"])
def test_what_is_large_goes_to_a_file_that_is_gone(vedette, tmp_path, way):
    """45 MB, more than is held in memory; where there is no room for them it is said."""
    note = "x" * 800  # few rows: it is the bytes that count
    (tmp_path / "t.csv").write_text("a,b,note\n" + f"1.5,2.5,{note}\n3.5,4.5,{note}\n" * 28_000)
    name = {"gzip": "t.csv.gz", "zstd": "t.csv.zst", "pipe": "-"}[way]
    if way != "pipe":
        if shutil.which(way) is None:
            pytest.skip(f"{way} is not here")
        subprocess.run([way, "-1", "-k", "-q", "t.csv"], cwd=tmp_path, check=True)
    for folder, code, word in ((tmp_path, 0, ""), (tmp_path / "none", 1, "No such file")):
        with open(tmp_path / "t.csv", "rb") as file, \
             subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            done = vedette("detect", "--detector", "isolation_forest", name,
                           cwd=tmp_path, stdin=cat.stdout, env={"TMPDIR": str(folder)},
                           measured=True)
        assert done.returncode == code and word in done.stderr, done.stderr
        if "asan" not in os.environ.get("VEDETTE_BUILD", ""):
            assert done.peak_kb <= 40 << 10
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("vedette-")]


def named(value):
    """A test is called by what is given or expected, not by a whole table."""
    return "table" if isinstance(value, str) else " ".join(value)


# ---- what is told ----

@pytest.mark.parametrize("text, words", ids=named, argvalues=[
    (table() + "(90 rows)\n", ["t.csv:92: 1 rows without a time", '"(90 rows)"']),
    (table().replace(",40.", ",x40.", 1), ['column "memory_percent": 1 value is no number']),
    (table(start=dt.datetime(2026, 3, 5, 8)).replace("2026-03-05", "05/03/2026"),
     ["could be either way round"]),
    (FORMS["newest first"], ["newest row comes first"]),
    (FORMS["shuffled"], ["sorted by time"]),
    (FORMS["names again"], ["repeat the names"]),
    (table(head=""), ["no column of times was found"]),
    (table() .replace("\n", ",word\n").replace("word", "note", 1), ['"note" (text)']),
    (FORMS["pandas index"], ['"" (no name)']),
    (FORMS["plain"].replace("disk_read_mb", "anomaly_score"), ['"anomaly_score" (a verdict)']),
])
def test_what_was_odd_is_told(played, text, words):
    done = played(text)
    assert done.returncode == 0, done.stderr
    for word in words:
        assert word in done.stderr


# ---- this program's own files ----

@pytest.mark.parametrize("zone, start", [
    ("Europe/Berlin", (2026, 10, 25, 0, 30)),      # over the end of summer time
    ("Europe/Berlin", (2026, 10, 25, 1, 10)),      # from the second turn of its hour on
    ("Europe/Berlin", (2026, 3, 29, 0, 30)),       # over its begin
    ("America/New_York", (2026, 11, 1, 5, 10)),
    ("Australia/Lord_Howe", (2026, 4, 4, 14, 30)),  # half an hour
    ("Asia/Kolkata", (2026, 3, 29, 0, 30)),
    ("UTC", (2026, 10, 25, 0, 30)),
])
def test_own_files_come_back_as_they_were(vedette, tmp_path, zone, start):
    def run(*words):
        done = vedette("-c", "none", *words, cwd=tmp_path, env={"TZ": zone})
        assert done.returncode == 0 and "warning" not in done.stderr, done.stderr

    def times(name):
        with sqlite3.connect(tmp_path / name / "vedette.db") as database:
            return [t for t, in database.execute("SELECT time FROM sample ORDER BY time")]

    start = dt.datetime(*start)
    first = int(epoch()(start))
    (tmp_path / "t.csv").write_text(table(time=epoch(), head="time", n=200, step=60,
                                          start=start))
    source = "t.csv"
    for name in ("metrics_history.csv", "performance_log.csv", "e.csv"):
        run("monitor", "--replay", source, "--data-dir", name + "-data", "--no-dashboard",
            "--no-desktop")
        source = f"{name}-data/{name}"
        run("store", "export", "--data-dir", name + "-data", "--from", first - 10, "--to",
            first + 200 * 60, "-o", f"{name}-data/e.csv")
    run("monitor", "--replay", source, "--data-dir", "last", "--no-dashboard", "--no-desktop")
    expected = [(first + 60 * i) * 10**9 for i in range(200)]
    for name in ("metrics_history.csv-data", "performance_log.csv-data", "e.csv-data", "last"):
        assert times(name) == expected, name


def own_log(steps):
    """Text of a performance_log.csv: local times of Berlin that are so many seconds after the
    end of summer time, and what the monotonic clock showed."""
    change = 1792890000  # 2026-10-25 01:00 UTC
    lines = ["timestamp,elapsed_s,cpu_percent,cpu_freq,cpu_memory,cpu_temp,gpu_percent,"
             "gpu_memory,gpu_temp,anomaly,score,inference_latency_ms,jitter_ms,drift_detected"]
    for at, elapsed in steps:
        east = 3600 if at >= 0 else 7200
        wall = dt.datetime.fromtimestamp(change + at + east, dt.timezone.utc)
        lines.append(f"{wall:%Y-%m-%dT%H:%M:%S}.000000,{elapsed:.3f},{abs(at) % 90},2000,40,50,"
                     ",,,1,0.5,0.1,0.2,False")
    return "\n".join(lines) + "\n", [(change + at) * 10**9 for at, _ in steps]


@pytest.mark.parametrize("first, second", [
    (-3000, 1200),    # a gap from the first turn of the hour into the second
    (-3000, -1200),   # and one inside the first
    (-1800, 3000),    # ... and to the end of the second
    (600, 2400),      # inside the second, which the file begins in
    (-5000, 7000),    # around both
])
def test_elapsed_time_tells_the_turn_of_the_hour(vedette, tmp_path, first, second):
    steps = [(first + i, i) for i in range(60)]
    steps += [(second + i, second - first + i) for i in range(60)]
    steps += [(4000 + i, 4000 - first + i) for i in range(60)] if second < 4000 else []
    text, expected = own_log(steps)
    (tmp_path / "log.csv").write_text(text)
    done = vedette("-c", "none", "monitor", "--replay", "log.csv", "--data-dir", "data",
                   "--no-dashboard", "--no-desktop", cwd=tmp_path,
                   env={"TZ": "Europe/Berlin"})
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    with sqlite3.connect(tmp_path / "data/vedette.db") as database:
        times = [t for t, in database.execute("SELECT time FROM sample ORDER BY time")]
    assert times == expected


def test_a_clock_that_was_set_back_mixes_no_rows(played):
    """By some minutes: nobody's summer time. The clock at the end is the right one."""
    lines = table(n=900).splitlines(True)
    late = table(n=900, start=START - dt.timedelta(seconds=200)).splitlines(True)
    done = played("".join(lines[:501] + late[501:]))
    assert "t.csv:502: the clock goes back by 200 s" in done.stderr, done.stderr
    assert "rows keep their order" in done.stderr and "sorted" not in done.stderr
    assert [v[1:] for v in values(done.history)] == [tuple(v) for _, v in rows(900)]
    begin = START - dt.timedelta(seconds=200)
    assert values(done.history)[0][0] == f"{begin:%Y-%m-%dT%H:%M:%S}.000"


def test_a_file_may_have_been_begun_before_its_times_had_zones(played):
    """The first half as an older vedette wrote it, local and without a zone."""
    lines = table().splitlines(True)
    half = len(lines) // 2
    later = table(time=as_("%Y-%m-%dT%H:%M:%S.000+09:00")).splitlines(True)
    for mixed in (lines[:half] + later[half:], later[:half] + lines[half:]):
        done = played("".join(mixed), zone="Asia/Tokyo")
        assert values(done.history) == EXPECTED, done.stderr
        assert done.history.splitlines()[1].split(",")[0].endswith("+09:00")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_clock_that_was_set_back_is_summer_time(played, zone):
    lines = table().splitlines(True)
    back = [line.replace("08:0", "07:0") for line in lines[41:]]
    done = played("".join(lines[:41] + back), zone=zone)
    assert "t.csv:42: the clock goes back by an hour" in done.stderr
    assert values(done.history) == EXPECTED


def test_times_that_are_not_of_this_zone_are_utc(played):
    text = table(start=dt.datetime(2026, 3, 29, 1, 59, 30))
    done = played(text, zone="Europe/Berlin")
    assert "read as UTC" in done.stderr
    assert values(done.history)[0][0].startswith("2026-03-29T03:59:30")
    text = table(start=dt.datetime(2026, 10, 25, 1, 30), step=60, n=150)
    done = played(text, zone="Europe/Berlin")
    assert "read as UTC" in done.stderr


# ---- options ----

@pytest.mark.parametrize("text, options", ids=named, argvalues=[
    (table(time=as_("%d.%m.%Y %Hh%M:%S")), ("--time-format", "%d.%m.%Y %Hh%M:%S")),
    (table(head="x", time=epoch(1000)), ("--time-column", "x", "--time-format", "ms")),
    (table(sep="~"), ("--separator", "~")),
    (table(sep=";", number=comma), ("--decimal", "comma")),
    (table(head="a,b", time=as_("%Y-%m-%d %H:%M:%S,2020-01-01 00:00:00")),
     ("--time-column", "1")),
    (table(head="b,a", time=as_("2020-01-01 00:00:00,%Y-%m-%d %H:%M:%S")),
     ("--time-column", "a")),
])
def test_options_say_what_the_file_does_not(played, text, options):
    done = played(text, *options)
    assert done.returncode == 0, done.stderr
    assert values(done.history) == EXPECTED, done.stderr


@pytest.mark.parametrize("options, word", [
    (("--time-column", "nothing"), 'no column "nothing"'),
    (("--time-format", "yesterday"), "no format of times"),
    (("--time-zone", "Mars/Olympus"), "no time zone"),
    (("--separator", "ab"), "is none"),
    (("--decimal", "dot"), "point"),
])
def test_options_that_are_none(played, options, word):
    done = played(table(), *options)
    assert done.returncode in (1, 2) and word in done.stderr, done.stderr


@pytest.mark.parametrize("zone, hour", [("UTC", 8), ("+02:00", 6), ("Europe/Berlin", 7),
                                        ("America/New_York", 12), ("-0330", 11)])
def test_a_zone_is_that_of_times_without_one(played, zone, hour):
    first = values(played(table(), "--time-zone", zone).history)[0][0]
    assert first.startswith(f"2026-03-20T{hour:02}:")
    # An offset in the file wins.
    first = values(played(FORMS["iso Z"], "--time-zone", zone).history)[0][0]
    assert first.startswith("2026-03-20T08:00:00")

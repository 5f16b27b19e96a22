"""Tables that are none, damaged or made to hurt: an error that says where, soon and in bounded
memory; and 400 mutations of a good one, of which none is a crash."""
import os
import random
import resource
import subprocess

import pytest

from conftest import BUILD

GOOD = "timestamp,cpu_percent,memory_percent\n" + "".join(
    f"2026-03-20 08:{i // 60:02d}:{i % 60:02d},{10 + i % 7}.5,{40 + i % 3}.25\n" for i in range(300))


def detect(path, *options, limit_mb=400, **more):
    """Runs with an address space that ends where memory would grow without bound."""
    def bound():
        if "asan" not in str(BUILD) and "tsan" not in str(BUILD):
            resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))
    return subprocess.run([BUILD / "vedette", "-c", "none", "detect", "--threads", "1", *options,
                           path], capture_output=True, text=True, errors="replace", timeout=120,
                          preexec_fn=bound, **more)


HOSTILE = {
    "nul": (GOOD.replace("10.5", "1\0", 1), ":2:", "NUL"),
    "nul far down": (GOOD + "2026-03-20 09:00:00,1\0,2\n", ":302:", "NUL"),
    "only nul": ("\0" * 5000, "t.csv", "NUL"),
    "utf-16": (GOOD.encode("utf-16"), "t.csv", "UTF-16"),
    "utf-16, no mark": (GOOD.encode("utf-16-be"), "t.csv", "UTF-16"),
    "a line of 20 MB": (GOOD + "2026-03-20 09:00:00," + "1" * (20 << 20) + ",2\n", ":302:",
                        "16 MiB"),
    "open quote": (GOOD + '"2026-03-20 09:00:00,1,2\n' + GOOD, ":302:", "quote is not closed"),
    "open quote, large": (GOOD + '"2026-03-20 09:00:00,1,2\n' + "1,2,3\n" * (3 << 20), ":302:",
                          "quote not closed"),
    "100,000 columns": (",".join(f"c{i}" for i in range(100_000)) + "\n" +
                        ("1," * 99_999 + "2\n") * 3, "t.csv", "at most 16384"),
    "no rows": ("timestamp,cpu_percent\n", "t.csv", "no rows"),
    "nothing": ("", "t.csv", "empty"),
    "no numbers": ("a,b\nx,y\nz,w\n", "t.csv", "text"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, kind):
    text, place, word = HOSTILE[kind]
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    for options in ((), ("--strict",)):
        done = detect("t.csv", *options, "-o", "out.csv", cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert place in done.stderr and word in done.stderr, done.stderr
        assert done.stderr.count("error") == 1
        assert os.listdir(tmp_path) == ["t.csv"], "nothing is left behind"


def test_a_line_of_10_mb_is_a_line(tmp_path):
    (tmp_path / "t.csv").write_text(GOOD + "2026-03-20 09:00:00,1." + "1" * (10 << 20) + ",2\n")
    done = detect("t.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", ["1e308", "-1e308", "1e309", "9" * 400, "1e-320", "-0"])
def test_numbers_at_the_edge(tmp_path, value):
    (tmp_path / "t.csv").write_text(GOOD + f"2026-03-20 09:00:00,{value},2\n" * 2)
    done = detect("t.csv", "-o", "out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").read_text().count(f",{value},2,") == 2


def test_ten_sparse_gigabytes_are_refused_at_once(tmp_path):
    with open(tmp_path / "t.csv", "wb") as file:
        file.write(GOOD.encode())
        file.truncate(10 << 30)
    done = detect("t.csv", cwd=tmp_path)
    assert done.returncode == 1 and ":302: a NUL byte" in done.stderr, done.stderr


# ---- rows of another length ----

RAGGED = GOOD + "2026-03-20 09:00:00,1\n2026-03-20 09:00:01,1,2,3\n" + \
    "2026-03-20 09:00:02,1,2\n" + "2026-03-20 09:00:03,1,2,3,4\n" * 5


def test_ragged_rows_are_mended_or_left_out_and_told(tmp_path):
    (tmp_path / "t.csv").write_text(RAGGED)
    done = detect("t.csv", "--rejects", "bad.csv", "-o", "out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "t.csv:303: 6 rows have more fields" in done.stderr
    assert "lines 303, 305, 306 ..." in done.stderr
    assert "t.csv:302: 1 row has fewer fields" in done.stderr
    assert (tmp_path / "bad.csv").read_text() == \
        "2026-03-20 09:00:01,1,2,3\n" + "2026-03-20 09:00:03,1,2,3,4\n" * 5
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 303


@pytest.mark.parametrize("row, line", [("2026-03-20 09:00:00,1\n", 302),
                                       ("2026-03-20 09:00:01,1,2,3\n", 302)])
def test_strict_refuses_them(tmp_path, row, line):
    (tmp_path / "t.csv").write_text(GOOD + row)
    done = detect("t.csv", "--strict", "-o", "out.csv", cwd=tmp_path)
    assert done.returncode == 1 and f"t.csv:{line}: the row has" in done.stderr, done.stderr
    assert os.listdir(tmp_path) == ["t.csv"]


# ---- mutations ----

def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at, kind = rng.randrange(len(data)), rng.randrange(6)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice([b'"', b"\n", b"\r\n", b",", b"\0", b";", b"\xff\xfe", b"#",
                                      b"1e308", b"-", b"." * 50, b'"' * 3])
        elif kind == 2:
            del data[at:at + rng.randrange(1, 60)]
        elif kind == 3:
            data[at:at] = data[:rng.randrange(200)]
        elif kind == 4:
            del data[at:]
        data = data or bytearray(b"x")
    return bytes(data)


@pytest.mark.parametrize("part", range(4))
def test_mutations_are_read_or_refused(tmp_path, part):
    rng = random.Random(part)
    for i in range(100):
        (tmp_path / "t.csv").write_bytes(mutate(rng, GOOD.encode()))
        done = subprocess.run([BUILD / "table_driver", tmp_path / "t.csv", "blocks",
                               str(1 + i % 2)], capture_output=True, timeout=60)
        assert done.returncode in (0, 1), (part, i, done.stderr)
        assert done.returncode == 0 or b"t.csv" in done.stderr

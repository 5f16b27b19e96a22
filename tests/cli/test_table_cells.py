"""The reader of tables beside Python's csv: the same cells of generated and mutated files,
row by row and by blocks on one thread and on two."""
import csv
import io
import math
import random
import re
import subprocess

import pytest

from conftest import BUILD

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COLUMNS = 6


def number(rng):
    kind = rng.randrange(12)
    value = rng.gauss(0, 10 ** rng.randrange(-3, 9))
    if kind < 4:
        return f"{value:.{rng.choice([1, 2, 4])}f}"
    return [str(int(value)), repr(value), f"{value:.6e}", f"{value:.17g}", f"+{abs(value):.2f}",
            f"{value:.25f}", "0", "-0.0"][kind - 4]


def cell(rng, odd):
    """A cell and how it may be written: texts hold separators, quotes and line ends."""
    if rng.random() >= odd:
        return number(rng)
    return rng.choice(["", "nan", "n/a", "text", "a b", "19\"", "a,b", "say \"x\"", "two\nlines",
                       "\n", ",", "\"", "1.2.3", "--", "é", "1e400", "True", "False", "x" * 300])


def written(text, rng):
    quoted = any(sign in text for sign in ",\"\r\n") or rng.random() < 0.1
    if quoted:
        return '"' + text.replace('"', '""') + '"'
    return rng.choice(["", "", "", " "]) + text if PLAIN.fullmatch(text) else text


def make(seed):
    """A table of some hundred rows, now and then larger than a piece that is read at once."""
    rng = random.Random(seed)
    rows = 9000 if seed % 10 == 0 else rng.randrange(30, 400)
    odd, end = rng.choice([0, 0, 0.05, 0.3]), rng.choice(["\n", "\n", "\r\n"])
    lines = [",".join(f"c{k}" for k in range(COLUMNS))]
    for _ in range(rows):
        cells = [written(cell(rng, odd), rng) for _ in range(COLUMNS)]
        mutation = rng.random()
        if odd and mutation < 0.02:
            cells = cells[:rng.randrange(1, COLUMNS)]
        elif odd and mutation < 0.04:
            cells += ["7"] * rng.randrange(1, 3)
        elif odd and mutation < 0.06:
            cells += ["", ""]
        lines.append(",".join(cells) + ("," if odd and mutation > 0.98 else ""))
        if odd and rng.random() < 0.01:
            lines.append("")
    return end.join(lines) + rng.choice([end, ""])


def meant(text):
    """What Python's csv makes of it: rows of numbers, by the rules of docs/formats/tables.md."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = []
    for row in rows[1:]:
        row = [one.strip(" \t\r") for one in row]
        if not row or row == [""] or any(row[COLUMNS:]):
            continue
        row = (row + [""] * COLUMNS)[:COLUMNS]
        out.append([{"true": 1.0, "false": 0.0}.get(one.lower()) if one.lower() in ("true", "false")
                    else float(one) if PLAIN.fullmatch(one) and math.isfinite(float(one))
                    else math.nan for one in row])
    return out


def cells_of(path, *how):
    done = subprocess.run([BUILD / "table_driver", path, *how], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.split("\n")
    names = head.split("\t")[:-1]
    return names, [[float.fromhex(one) if one != "nan" else math.nan for one in row.split()]
                   for row in rows[:-1]]


@pytest.mark.parametrize("seed", range(40))
def test_cells_are_those_of_pythons_csv(tmp_path, seed):
    text = make(seed)
    (tmp_path / "t.csv").write_text(text, newline="")
    expected = meant(text)
    for how in (["rows"], ["blocks", "1"], ["blocks", "2"]):
        names, rows = cells_of(tmp_path / "t.csv", *how)
        columns = [int(name[1:]) for name in names]
        assert len(columns) >= COLUMNS - 1 and len(rows) == len(expected), how
        for ours, theirs in zip(rows, expected):
            theirs = [theirs[k] for k in columns]
            # 0 and -0 are told apart, and a NaN is one.
            assert list(map(repr, ours)) == list(map(repr, theirs)), how

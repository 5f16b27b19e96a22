"""What split, train and compare make of odd tables, and of places to write to."""

import os
import random
import stat

import pytest


def table(n=60, columns=("a", "b"), seed=1):
    """Lines of a table whose every fifth row is an anomaly."""
    rng = random.Random(seed)
    lines = [",".join([*columns, "label"])]
    for i in range(n):
        odd = i % 5 == 0
        lines.append(",".join([f"{rng.gauss(90 if odd else 20, 5):.3f}" for _ in columns]
                              + [str(int(odd))]))
    return lines


@pytest.fixture
def put(tmp_path):
    def write(name, lines):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return name
    return write


@pytest.fixture
def train(vedette, tmp_path):
    """One cheap detector; gives the result."""
    def run(*words):
        return vedette("train", *words, "--detector", "pca", cwd=tmp_path)
    return run


def refused(result, *words):
    assert result.returncode == 1, result
    for word in words:
        assert word in result.stderr, result.stderr
    return result


# ---- which columns, which rows ----

@pytest.mark.parametrize("first", ["nan,1,0", "inf,1,0", ",1,0", "N/A,1,0"])
def test_a_value_missing_in_the_first_row_costs_that_row_alone(put, train, first):
    lines = table()
    result = train(put("t.csv", [lines[0], first, *lines[1:]]))
    assert result.returncode == 0, result.stderr
    assert "2 columns, trained on 60 rows" in result.stdout
    assert 't.csv: 1 rows are left out, 1 of them for column "a"' in result.stderr


def test_columns_without_numbers_are_named(put, train):
    lines = table()
    wider = [lines[0] + ",note,none,7,"]
    wider += [f"{line},{'5' if i == 0 else 'word'},,1,{i}" for i, line in enumerate(lines[1:])]
    result = train(put("t.csv", wider))
    assert result.returncode == 0, result.stderr
    assert '"note" (text), "none" (empty), "" (no name)' in result.stderr
    assert "3 columns, trained on 60 rows" in result.stdout


def test_a_column_that_few_rows_have_is_named(put, train):
    lines = ["a,b,label", "5,1,0"] + [f"{i % 7},,0" for i in range(100)]
    refused(train(put("t.csv", lines)), "100 rows are left out, 100 of them for column \"b\"")


def test_a_value_that_comes_late_makes_a_column(put, train):
    lines = ["a,b,label"] + [f"{i % 7},,0" for i in range(1500)]
    lines += [f"{i % 7},{i % 5},0" for i in range(30)]
    result = train(put("t.csv", lines))
    assert result.returncode == 0 and "2 columns, trained on 30 rows" in result.stdout


def test_labels_of_two_kinds_are_refused(put, train, vedette, tmp_path):
    name = put("t.csv", [*table(), "1,2,-1"])
    refused(train(name), "t.csv:62: a label of -1, and in line 3 one of 0")
    refused(vedette("split", name, cwd=tmp_path), "t.csv:62")
    signed = [line[:-1] + ("-1" if line.endswith("1") else "1") for line in table()[1:]]
    result = train(put("signed.csv", ["a,b,label", *signed]))
    assert result.returncode == 0 and "60 rows (48 of them normal)" in result.stdout


def test_rows_of_another_length_are_told_with_their_line(put, train):
    lines = table()
    refused(train(put("short.csv", [*lines[:11], "1,2", *lines[11:]])),
            "short.csv:12: the row has no label: 2 fields, the first line has 3")
    refused(train(put("long.csv", [*lines[:11], "1,2,0,9", *lines[11:]])),
            "long.csv:12: the row has 4 fields, the first line 3")
    assert train(put("comma.csv", [*lines[:11], "1,2,0,", *lines[11:]])).returncode == 0
    refused(train(put("quote.csv", [*lines[:11], '1,2,"0', *lines[11:]])),
            "quote.csv:12: a quote is not closed")


def test_more_columns_than_can_be_read_are_refused(put, train):
    lines = [",".join([*(f"c{i}" for i in range(16384)), "label"])]
    lines += [",".join([str(i)] * 16384 + ["0"]) for i in range(3)]
    refused(train(put("wide.csv", lines)), "16385 columns", "at most 16384")


def test_a_table_without_names_is_refused(put, train, tmp_path):
    refused(train(put("t.csv", table()[1:])), "the first line has to name the columns")
    (tmp_path / "wide.csv").write_text("\n".join(table()), encoding="utf-16")
    refused(train("wide.csv"), "wide.csv: it is no text", "UTF-8")


def test_too_few_normal_rows_are_told_once(put, train):
    result = refused(train(put("t.csv", table(20))), "16 normal rows: at least 20")
    assert result.stderr.count("error") == 1


def test_a_folder_is_none_and_a_pipe_is_a_table(put, train, vedette, tmp_path):
    refused(train("."), "directory")
    name = put("t.csv", table())
    with open(tmp_path / name) as file:
        read, write = os.pipe()
        os.write(write, file.read().encode())
        os.close(write)
    result = vedette("train", "/dev/stdin", "--detector", "pca", cwd=tmp_path, stdin=read)
    os.close(read)
    assert result.returncode == 0, result.stderr
    assert "trained on 60 rows" in result.stdout


# ---- columns of two files ----

def test_a_column_that_one_file_lacks_is_named(put, train, vedette, tmp_path):
    put("both.csv", table())
    put("one.csv", table(columns=("a",)))
    put("three.csv", table(columns=("a", "b", "c")))

    def compare(first, second):
        return vedette("compare", "--no-tune", "--no-plots", "--detector", "pca", "--train",
                       first, "--test", second, "--out", "out", cwd=tmp_path)

    refused(compare("both.csv", "one.csv"), "one.csv", '"b"')
    assert not (tmp_path / "out").exists()
    refused(train("three.csv", "--normal", "one.csv"), "one.csv", '"b", "c"')
    assert not (tmp_path / "model.vedette").exists()
    result = compare("both.csv", "three.csv")
    assert result.returncode == 0 and 'left out: "c"' in result.stderr
    result = train("one.csv", "--normal", "three.csv")
    assert result.returncode == 0 and 'left out: "b", "c"' in result.stderr
    assert "1 columns" in result.stdout


# ---- where results go ----

def test_a_model_takes_the_place_of_files_only(put, train, tmp_path):
    name = put("t.csv", table())
    os.mkfifo(tmp_path / "pipe")
    refused(train(name, "-o", "pipe"), "pipe: it is no regular file")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    (tmp_path / "folder").mkdir()
    refused(train(name, "-o", "folder"), "folder: Is a directory")
    (tmp_path / "link").symlink_to("pipe")
    refused(train(name, "-o", "link"), "link: it is no regular file")
    assert not list(tmp_path.rglob("*.part"))


def test_a_link_leads_to_the_model(put, train, vedette, tmp_path):
    name = put("t.csv", table())
    (tmp_path / "kept").mkdir()
    old = tmp_path / "kept" / "old"
    old.write_text("old")
    old.chmod(0o640)
    (tmp_path / "link").symlink_to("kept/old")
    assert train(name, "-o", "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert old.stat().st_mode & 0o777 == 0o640
    assert vedette("model", "verify", old, cwd=tmp_path).returncode == 0
    (tmp_path / "nowhere").symlink_to("missing/file")
    assert train(name, "-o", "nowhere").returncode == 1


def split(vedette, tmp_path, *words):
    return vedette("split", *words, cwd=tmp_path)


def test_split_never_takes_the_place_of_its_input(put, vedette, tmp_path):
    name = put("labeled_training.csv", table())
    before = (tmp_path / name).read_bytes()
    os.link(tmp_path / name, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(name)
    for words in ([name], [name, "--force"], ["hard.csv", "--force"], ["soft.csv", "--force"]):
        result = split(vedette, tmp_path, *words)
        assert result.returncode == 2 and "the file to split" in result.stderr
    assert (tmp_path / name).read_bytes() == before
    assert not (tmp_path / "labeled_test.csv").exists()


def test_split_replaces_files_when_told_to(put, vedette, tmp_path):
    name = put("t.csv", table())
    (tmp_path / "labeled_test.csv").write_text("mine")
    refused(split(vedette, tmp_path, name), "labeled_test.csv: File exists", "--force")
    assert (tmp_path / "labeled_test.csv").read_text() == "mine"
    assert not (tmp_path / "labeled_training.csv").exists()
    assert split(vedette, tmp_path, name, "--force").returncode == 0
    assert (tmp_path / "labeled_test.csv").read_text().count("\n") == 19


def test_split_writes_both_files_or_none(put, vedette, tmp_path):
    name = put("t.csv", table())
    for train, test in (("x.csv", "./x.csv"), ("x.csv", "none/y.csv")):
        result = split(vedette, tmp_path, name, "--train", train, "--test", test)
        assert result.returncode in (1, 2), result
        assert not list(tmp_path.glob("x.csv*"))


def test_split_keeps_every_row_and_its_bytes(vedette, tmp_path):
    rows = [b'1,"two\r\nlines",0\r\n', b"nan,,1\r\n", b" 3 ,19\",0\r\n", b'4,"a,""b",1\r\n',
            b"5,x,0\r\n", b"inf,y,1"]
    head = b"\xef\xbb\xbflabel,a note,anomaly\r\n"
    (tmp_path / "t.csv").write_bytes(head + b"".join(rows))
    result = split(vedette, tmp_path, "t.csv", "--share", "0.5", "--label", "anomaly")
    assert result.returncode == 0, result.stderr
    parts = [(tmp_path / f"labeled_{name}.csv").read_bytes() for name in ("training", "test")]
    for part in parts:
        assert part.startswith(head)
    for row in rows:
        assert sum(row in part for part in parts) == 1
    assert sum(map(len, parts)) == 2 * len(head) + sum(map(len, rows)) + 1

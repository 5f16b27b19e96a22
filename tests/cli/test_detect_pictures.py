"""Picture and page of vedette detect."""

import json
import re
import shutil
import xml.dom.minidom

import pytest

needs_gnuplot = pytest.mark.skipif(shutil.which("gnuplot") is None,
                                   reason="gnuplot is not installed")

HOSTILE = ["</script><script>alert(1)</script>", 'a,b" \'quoted\' `x`', "line\nbreak",
           "''); system('touch pwned'); ('", "=cmd|x", "<img src=x onerror=alert(2)>",
           "$(touch pwned) {bold} \\n %s @x", "\u202eevil\a", "'", "output", "0", "é" * 200]


@pytest.fixture
def rows(vedette, tmp_path):
    """A table of a host with faults; the columns can have other names."""
    def make(names=None, n=3000):
        path = tmp_path / "rows.csv"
        made = vedette("generate", "--rows", n, "-o", path, "--labels", "/dev/null", "--force")
        assert made.returncode == 0, made.stderr
        if names is not None:
            lines = path.read_text().splitlines()
            head = ",".join('"' + name.replace('"', '""') + '"' for name in names)
            path.write_text("\n".join([head, *lines[1:]]) + "\n")
        return path
    return make


@pytest.fixture
def detect(vedette, tmp_path):
    def run(*words, **how):
        return vedette("detect", *words, "--contamination", "0.05", cwd=tmp_path, **how)
    return run


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))


@needs_gnuplot
@pytest.mark.parametrize("name", ["picture.png", "picture.SVG", "it's 031 \"here\".png"])
def test_a_picture_is_drawn(rows, detect, tmp_path, name):
    done = detect(rows(), "--plot", name)
    assert done.returncode == 0, done.stderr
    assert f"Saved visualization to {name}\n" in done.stdout
    data = (tmp_path / name).read_bytes()
    if name.endswith("png"):
        width, height = (int.from_bytes(data[i:i + 4], "big") for i in (16, 20))
        # Eleven metrics: four rows of three.
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and (width, height) == (1500, 1000)
    else:
        drawing = xml.dom.minidom.parseString(data)
        words = {node.firstChild.data for node in drawing.getElementsByTagName("text")
                 if node.firstChild} | {node.firstChild.data
                 for node in drawing.getElementsByTagName("tspan") if node.firstChild}
        assert any("cpu_percent" in word for word in words)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["home", "rows.csv", name])


@needs_gnuplot
def test_in_a_folder_it_has_the_name_that_scripts_know(rows, detect, tmp_path):
    (tmp_path / "out").mkdir()
    done = detect(rows(), "--plot", "out")
    assert "Saved visualization to out/anomaly_visualization.png" in done.stdout
    assert (tmp_path / "out/anomaly_visualization.png").stat().st_size > 10000


@needs_gnuplot
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_names_of_columns_do_nothing_in_a_picture(rows, detect, tmp_path, ending):
    names = ["timestamp", *HOSTILE[:11]]
    done = detect(rows(names), "--plot", f"hostile.{ending}")
    assert done.returncode == 0 and "gnuplot>" not in done.stderr, done.stderr
    assert not (tmp_path / "pwned").exists()
    if ending == "svg":
        drawing = xml.dom.minidom.parseString((tmp_path / "hostile.svg").read_bytes())
        assert not drawing.getElementsByTagName("script")
        assert not drawing.getElementsByTagName("img")


@pytest.mark.parametrize("name", ["picture", "picture.pdf", ".png", "x" * 5000 + ".png"])
def test_a_picture_of_no_known_kind_is_refused_at_once(rows, detect, tmp_path, name):
    done = detect(rows(), "--plot", name, "--output", "scored.csv")
    assert done.returncode == 2 and done.stdout == ""
    assert ".png or .svg" in done.stderr or "too long" in done.stderr
    assert not (tmp_path / "scored.csv").exists()


def test_without_gnuplot_the_rest_is_there(rows, detect, tmp_path):
    done = detect(rows(), "--plot", "p.png", "--output", "scored.csv", env={"PATH": "/nowhere"})
    assert done.returncode == 1
    assert "gnuplot" in done.stderr and "install" in done.stderr
    assert "Total records processed: 3000" in done.stdout
    assert (tmp_path / "scored.csv").exists() and not (tmp_path / "p.png").exists()


def test_a_page_has_all_that_was_found(rows, detect, tmp_path):
    done = detect(rows(), "--report", "report.html", "--json")
    assert done.returncode == 0, done.stderr
    said, page = json.loads(done.stdout), (tmp_path / "report.html").read_text()
    data = data_of(page)
    assert data["rows"] == said["rows"] == 3000
    assert data["anomalies"] == said["anomalies"] > 100
    assert len(data["events"]) == len(said["events"])
    assert len(data["worst"]) >= 100
    assert {m["name"] for m in data["metrics"]} >= {"cpu_percent", "memory_percent", "load_1"}
    assert data["left_out"][0][0] == "timestamp"
    assert len(data["buckets"]["row"]) == 1000
    assert all(len(m["low"]) == 1000 for m in data["metrics"])
    assert sum(data["buckets"]["anomalies"]) == data["anomalies"]


def test_a_page_needs_nothing_else_and_runs_nothing_else(rows, detect, tmp_path):
    detect(rows(["timestamp", *HOSTILE[:11]]), "--report", "report.html")
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert page.count("<script") == 2 and "<script>alert" not in page
    names = {metric["name"] for metric in data_of(page)["metrics"]}
    assert HOSTILE[0] in names and HOSTILE[5] in names


def test_a_page_that_cannot_be_written_is_told(rows, detect, tmp_path):
    done = detect(rows(), "--report", "no/such/folder/report.html")
    assert done.returncode == 1 and "no/such/folder/report.html" in done.stderr

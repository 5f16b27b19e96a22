"""The page's server of the real program: `vedette monitor` on this machine."""

import html.parser
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
from live_client import LiveClient
from monitor import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))

pytestmark = pytest.mark.tsan


class Monitor:
    def __init__(self, folder, *options):
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [BUILD / "vedette", "monitor", "--port", "0", "--data-dir", folder / "data",
             "--no-desktop", "--interval", "100ms", *options],
            stdout=self.log, stderr=subprocess.STDOUT)
        self.port = None
        wait(self.find_port, PATIENCE)
        wait(lambda: self.get("/healthz")[0] == 200, PATIENCE)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def find_port(self):
        assert self.process.poll() is None, self.text()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.text())
        if found:
            self.port = int(found[1])
        return found

    def get(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.request(method, path, body,
                           {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text, answer

    def json(self, path):
        status, text, _ = self.get("/api/v1/" + path)
        assert status == 200, text
        return json.loads(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=PATIENCE) == 0, self.text()


def wait(condition, limit):
    end = time.monotonic() + limit
    while not (result := condition()):
        assert time.monotonic() < end, "not within %d s" % limit
        time.sleep(0.05)
    return result


@pytest.fixture(scope="module")
def monitor(tmp_path_factory):
    monitor = Monitor(tmp_path_factory.mktemp("monitor"), "--warm-up", "3s",
                      "--rule", "memory_total_gb > 0 high")
    yield monitor
    monitor.stop()


def test_values_belong_to_this_machine(monitor):
    # File systems are read beside the ticks and join the schema a little later.
    tick = wait(lambda: (t := monitor.json("latest"))["tick"] > 20 and t, PATIENCE)
    names = [m["name"] for m in monitor.json("metrics")]
    assert len(names) == len(set(names)) and "cpu_percent" in names
    assert len(names) >= tick["n_metrics"] == len(tick["v"])
    values = dict(zip(names, tick["v"]))
    total_kb = int(re.search(r"MemTotal: +(\d+)",
                             open("/proc/meminfo").read())[1])
    assert values["memory_total_gb"] == pytest.approx(total_kb / 2**20, rel=1e-5)
    assert 0 <= values["cpu_percent"] <= 100
    pids = [p["pid"] for p in monitor.json("processes")["processes"]]
    assert pids == sorted(pids) and os.getpid() in pids
    assert monitor.process.pid in pids


def test_a_busy_process_is_on_top(monitor):
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        def on_top():
            tick = monitor.json("latest")
            return busy.pid in [p["pid"] for p in tick["top_cpu"]]

        wait(on_top, PATIENCE)
    finally:
        busy.kill()
        busy.wait()


def test_history_comes_from_the_store(monitor):
    def seen():
        history = monitor.json(f"history?metric=cpu_percent&from={time.time() - 60}"
                               "&points=100")
        return [x for x in history["series"]["cpu_percent"]["mean"] if x is not None]

    values = wait(seen, PATIENCE)
    assert all(0 <= x <= 100 for x in values)
    status, text, _ = monitor.get("/api/v1/history?metric=no_such_metric")
    assert status in (200, 400, 404)
    if status == 200:
        series = json.loads(text)["series"]["no_such_metric"]["mean"]
        assert all(x is None for x in series)


def test_an_event_goes_round(monitor):
    """The rule fires at once: the event is told live, listed, and takes feedback."""
    with LiveClient(monitor.port) as live:
        hello = live.message()
        assert hello["type"] == "hello" and hello["status"]["version"]
        live.until("tick")
    events = wait(lambda: [e for e in monitor.json("events") if e["kind"] == "rule"], PATIENCE)
    event = events[0]
    assert event["reason"] and event["severity"] in ("low", "medium", "high", "critical")
    path = f"/api/v1/events/{event['id']}/feedback"
    status, text, _ = monitor.get(path, "POST", '{"feedback": "expected"}',
                                  Content_Type="application/json")
    assert status == 200, text
    assert json.loads(text)["feedback"] == "expected"
    wait(lambda: monitor.json(f"events/{event['id']}")["feedback"] == "expected",
         PATIENCE)
    status, _, _ = monitor.get("/api/v1/events/999999999")
    assert status == 404


class Page(html.parser.HTMLParser):
    """What a page loads, and what a strict policy would not let it do."""

    def __init__(self):
        super().__init__()
        self.loads, self.forbidden, self.script = [], [], False

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.script = tag in ("script", "style") and not values.get("src")
        for key, value in values.items():
            if key.startswith("on") or key == "style":
                self.forbidden.append((tag, key))
            if key == "src" or (tag == "link" and key == "href"):
                self.loads.append(value)

    def handle_data(self, data):
        if self.script and data.strip():
            self.forbidden.append(("inline", data[:40]))
        self.script = False


def test_the_page_is_whole_and_keeps_to_its_policy(monitor):
    status, text, answer = monitor.get("/")
    assert status == 200
    page = Page()
    page.feed(text.decode())
    assert page.forbidden == []
    for path in page.loads:
        if path.startswith("data:"):
            continue
        assert not re.match(r"(\w+:)?//", path), path  # nothing from elsewhere
        status, content, answer = monitor.get("/" + path.lstrip("./"))
        assert status == 200 and content, path
        etag = answer.getheader("etag")
        assert monitor.get("/" + path.lstrip("./"), If_None_Match=etag)[0] == 304


def test_the_second_one_on_a_port_says_so(monitor, tmp_path):
    run = subprocess.run(
        [BUILD / "vedette", "monitor", "--port", str(monitor.port), "--data-dir",
         tmp_path, "--no-desktop"], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 1
    assert f"port {monitor.port} on 127.0.0.1 is in use" in run.stderr


def test_the_world_is_not_served(tmp_path):
    run = subprocess.run(
        [BUILD / "vedette", "monitor", "--address", "0.0.0.0", "--data-dir", tmp_path,
         "--no-desktop"], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode in (1, 2)
    assert "0.0.0.0 is not of this machine alone" in run.stderr
    assert "ssh -L" in run.stderr


def test_a_scrape_has_what_the_grafana_dashboard_shows(monitor):
    """Names of families that need hardware or a week of data may be missing."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")

    def families():
        _, text, _ = monitor.get("/metrics", Accept="application/openmetrics-text")
        found = parser.text_string_to_metric_families(text.decode())
        return {s.name for f in found for s in f.samples}

    wait(lambda: "vedette_anomaly_score" in families(), PATIENCE)
    dashboard = (ROOT / "packaging" / "grafana" / "vedette.json").read_text()
    expressions = re.findall(r'"expr": "(.*?)"[,\n]', dashboard)
    used = set(re.findall(r"\b((?:vedette|node|process)_\w+)", " ".join(expressions)))
    assert len(used) > 25
    missing = used - families()
    may_lack = {"vedette_false_alarms_per_week", "vedette_network_recv_bytes_per_second",
                "vedette_network_sent_bytes_per_second",
                "vedette_disk_read_bytes_per_second", "vedette_disk_busy_percent",
                "vedette_disk_write_bytes_per_second", "vedette_pressure_cpu_percent",
                "vedette_pressure_memory_percent", "vedette_pressure_io_percent",
                "vedette_filesystem_percent"}  # no disk is mounted in a chroot
    assert missing <= may_lack


def test_it_ends_while_pages_are_open(tmp_path):
    monitor = Monitor(tmp_path)
    pages = [LiveClient(monitor.port) for _ in range(3)]
    for page in pages:
        page.until("tick")
    start = time.monotonic()
    monitor.stop()
    assert time.monotonic() - start < 10
    for page in pages:
        page.close()

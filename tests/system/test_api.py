"""The page's server over real sockets, on the made-up records of show_driver."""

import gzip
import http.client
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import struct
import subprocess
import time

import pytest
from live_client import LiveClient, Refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))

pytestmark = pytest.mark.tsan


class Driver:
    """A running show_driver; its end is checked: exit status 0, nothing on stderr."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BUILD / "show_driver", "--port", "0", *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("port "), self.process.stderr.read()
        self.port = int(line.split()[1])

    def get(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read()
        connection.close()
        return answer

    def json(self, path, status=200):
        answer = self.get(path)
        assert answer.status == status, answer.text
        assert answer.getheader("content-type") == "application/json"
        return json.loads(answer.text)

    def live(self, **options):
        return LiveClient(self.port, **options)

    def raw(self, text, timeout=5):
        """What comes back for these bytes until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(text if isinstance(text, bytes) else text.encode())
            answer = b""
            try:
                while piece := s.recv(65536):
                    answer += piece
            except (TimeoutError, ConnectionResetError):
                pass
            return answer.decode("latin-1")

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kb(self):
        """0 under a sanitizer, which keeps freed memory for a while."""
        maps = open(f"/proc/{self.process.pid}/maps").read()
        if "libasan" in maps or "libtsan" in maps:
            return 0
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        assert errors == ""


def started(*options):
    driver = Driver(*options)
    wait(lambda: "--no-ticks" in options or driver.get("/healthz").status == 200)
    return driver


def wait(condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "not within %d s" % limit
        time.sleep(0.02)


@pytest.fixture(scope="module")
def driver():
    driver = started()
    yield driver
    driver.stop()


@pytest.fixture
def own():
    """For tests that need options or harm the server: own(option, ...)."""
    drivers = []

    def make(*options):
        drivers.append(started(*options))
        return drivers[-1]

    yield make
    for one in drivers:
        one.stop()


# ---- objects ----

def test_status(driver):
    status = driver.json("/api/v1/status")
    assert list(status) == ["version", "host", "state", "started", "now", "zone",
                            "interval", "confidence", "habit", "points", "anomalies",
                            "alerts", "budget", "training", "self", "detectors", "sinks",
                            "receivers", "troubles"]
    assert status["version"] == "0.0.test" and status["state"] == "watching"
    assert status["started"] == 1700000000 and abs(status["now"] - time.time()) < 5
    assert set(status["zone"]) == {"name", "east"} and status["zone"]["east"] % 900 == 0
    assert status["budget"] == {"per_week": 1, "used": 0, "achieved_per_week": None,
                                "threshold": 5.78}
    assert status["self"]["stages"] == [{"name": "collect", "us": 812.5}]
    assert status["self"]["rss_mb"] == 12
    assert status["sinks"][1]["unavailable"] == "built without librdkafka"
    assert status["receivers"] == [
        {"name": "webhook", "unavailable": None, "state": "failing", "sent": 7,
         "retried": 3, "waiting": 2, "given_up": 1, "lost": 4, "failing": 61.5,
         "oldest": 90, "kept": True, "error": 'answered "500"'}]
    scraped = driver.get("/metrics").text.decode()
    assert "\nvedette_collectors_failing 1\n" in scraped
    assert '\nvedette_collector_failing{collector="filesystems"} 1\n' in scraped
    assert status["troubles"] == [
        {"collector": "filesystems", "since": 1700000001.5,
         "reason": "the file system at /mnt/\ufffd does not answer"}]


def test_users_have_names(driver):
    users = driver.json("/api/v1/users")["users"]
    assert users["0"] == "root"
    assert users == {str(p.pw_uid): p.pw_name for p in reversed(pwd.getpwall())}


def test_metrics_and_latest_belong_together(driver):
    metrics = driver.json("/api/v1/metrics")
    tick = driver.json("/api/v1/latest")
    assert metrics[0] == {"name": "cpu_percent", "family": "cpu_percent",
                          "label_key": None, "label": None, "unit": "%",
                          "help": "CPU use of the machine", "group": "cpu", "core": True}
    assert metrics[3]["name"] == "disk_busy_percent{sda}"
    assert metrics[3]["label_key"] == "device"
    assert metrics[3]["group"] == "other"  # nobody said
    assert tick["type"] == "tick" and tick["n_metrics"] == len(tick["v"])
    assert tick["v"][5] is None
    assert tick["v"][4] == pytest.approx(tick["tick"] + 4 / 3, rel=1e-6)
    assert tick["jitter_ms"] == 0.25 and abs(tick["t"] - time.time()) < 5
    assert tick["detectors"][0] == {"name": "isolation_forest", "ready": True,
                                    "score": 0.78, "raw": 0.4, "surprise": 1.25,
                                    "latency_us": 1.5}
    assert tick["detectors"][1]["ready"] is False
    assert tick["detectors"][1]["score"] is None
    assert [p["pid"] for p in tick["top_memory"]] == [50, 49, 48, 47, 46]
    assert [p["pid"] for p in tick["top_io"]] == [8]
    assert tick["top_cpu"][0]["pid"] == 1 and tick["top_cpu"][0]["suspicious"] is True
    assert (tick["n_processes"], tick["n_threads"]) == (50, 1234)


def test_hostile_process_names_are_text(driver):
    first = driver.json("/api/v1/processes")["processes"][0]
    assert first["name"] == '<script>\ufffd\ufffd\ufffd\x1b"\n'
    assert first["command"] == "<img src=x onerror=alert(1)>" + "\ufffd" * 3
    assert first["state"] == "\ufffd"
    assert first["pss_mb"] is None and first["rss_mb"] == 1
    assert first["swap_mb"] == 1 and first["major_faults_s"] == 2.5


def test_history(driver):
    history = driver.json("/api/v1/history?metric=cpu_percent&metric=disk_busy_percent"
                          "%7Bsda%7D&from=1700000000&to=1700000100.5&points=50")
    assert (history["from"], history["to"]) == (1700000000, 1700000100.5)
    assert len(history["t"]) == 50 and history["t"][0] == 1700000000
    assert list(history["series"]) == ["cpu_percent", "disk_busy_percent{sda}"]
    second = history["series"]["disk_busy_percent{sda}"]
    assert second["mean"][:5] == [100, 101, 102, None, 104]
    assert second["min"][0] == -1 and second["max"][0] == 1


def test_events_are_paged(driver):
    first = driver.json("/api/v1/events?limit=4")
    assert [e["id"] for e in first] == [30, 29, 28, 27]
    assert [e["id"] for e in driver.json("/api/v1/events?limit=2&before=27")] == [26, 25]
    assert all(e["alerted"] for e in driver.json("/api/v1/events?alerted=1"))
    assert driver.json("/api/v1/events?kind=drift") == []
    event = first[0]
    assert event["explanation"] == ["cpu_percent: 98.5 (high, expected ≈12, z=7.2)"]
    assert event["top"] == [{"metric": "cpu_percent", "value": 98.5, "expected": 12,
                             "z": 7.25}]
    assert event["suspects"][0]["during"] == 25  # MB/s
    assert event["suspects"][0]["process"]["name"] == "bad\ufffdname"
    assert event["severity"] == "high" and "recorder" not in event


def test_one_event_has_its_recorder(driver):
    assert [m["t"] for m in driver.json("/api/v1/events/3")["recorder"]] == [
        1700000000, 1700000001]
    assert driver.json("/api/v1/events/1")["recorder"] == []
    assert driver.json("/api/v1/events/31", 404)["error"]["message"] == (
        "there is no event 31")


@pytest.mark.parametrize("path, said", [
    ("history", "no metric is asked for"),
    ("history?metric=a&points=5", "points must be a whole number from 10 to 10000"),
    ("history?metric=a&from=yesterday", "from must be a time in seconds since 1970"),
    ("history?metric=a&from=20&to=10", "from must lie before to"),
    ("history?metric=no_such_metric", "no metric no_such_metric"),
    ("history?metric=" + "a" * 3000, "a parameter is too long"),
    ("history?" + "&".join(["metric=a"] * 65), "more than 64 metrics in one request"),
    ("history?points=10000&" + "&".join(["metric=a"] * 7),
     "7 metrics of 10000 points are too many values"),
    ("events?limit=0", "limit must be a whole number from 1 to 1000"),
    ("events?before=x", "before must be the id of an event"),
    ("events?alerted=maybe", "alerted must be 0 or 1"),
    ("events?page=2", "unknown parameter"),
    ("status?pretty=1", "this address takes no parameters"),
])
def test_bad_parameters_are_explained(driver, path, said):
    error = driver.json("/api/v1/" + path, 400)["error"]
    assert error["code"] == "bad_request" and said in error["message"]


def test_feedback(driver):
    def post(path, body, kind="application/json", **headers):
        return driver.get(path, "POST", body, Content_Type=kind, **headers)

    answer = post("/api/v1/events/7/feedback", '{"feedback": "expected"}')
    assert answer.status == 200
    assert json.loads(answer.text)["feedback"] == "expected"
    assert post("/api/v1/events/31/feedback", '{"feedback": "real"}').status == 404
    assert post("/api/v1/events/7/feedback", '{"feedback": "nice"}').status == 400
    assert post("/api/v1/events/7/feedback", "feedback=real").status == 400
    assert post("/api/v1/events/7/feedback", "{}", "text/plain").status == 415
    assert post("/api/v1/events/7/feedback", "{}",
                "application/x-www-form-urlencoded").status == 415
    assert post("/api/v1/events/7/feedback", "x" * 2000).status == 413
    assert post("/api/v1/status", "{}").status == 405
    assert post("/api/v1/events/7/feedback", '{"feedback": "real"}',
                Origin="http://evil.example").status == 403
    assert driver.get("/api/v1/events/7/feedback").status == 405


def test_the_store_may_be_slow_but_ticks_are_not(own):
    driver = own("--store-delay-ms", 400)
    with driver.live() as live:
        live.until("hello")
        slow = socket.create_connection(("127.0.0.1", driver.port))
        slow.sendall(b"GET /api/v1/history?metric=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        times = [live.until("tick")["t"] for _ in range(6)]
        slow.settimeout(10)
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        slow.close()
    assert max(b - a for a, b in zip(times, times[1:])) < 0.3


def test_a_store_that_hangs_does_not_keep_the_page_out(own):
    driver = own("--store-delay-ms", 8000)
    with driver.live() as live:
        start = time.monotonic()
        hello = live.message()
        assert 2 < time.monotonic() - start < 6
        assert hello["events"] == [] and len(hello["metrics"]) > 20
        live.until("tick")


def test_the_other_loopback_address():
    if not os.path.exists("/proc/net/if_inet6") or "lo" not in open(
            "/proc/net/if_inet6").read():
        pytest.skip("this machine has no IPv6")
    driver = Driver("--address", "::1")
    connection = http.client.HTTPConnection("::1", driver.port, timeout=10)
    connection.request("GET", "/api/v1/status")
    assert connection.getresponse().status == 200
    connection.close()
    driver.stop()


def ask_for_history(driver, n):
    asked = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", driver.port), timeout=20)
        s.sendall(b"GET /api/v1/history?metric=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        asked.append(s)
    return asked


def test_questions_wait_for_each_other_and_not_for_ever(own):
    driver = own("--store-delay-ms", 100)
    asked = ask_for_history(driver, 36)
    wait(lambda: driver.get("/healthz").status == 200)  # nobody else waits for them
    answers = [s.recv(100).split()[1] for s in asked]
    for s in asked:
        s.close()
    assert answers.count(b"503") == 4 and answers.count(b"200") == 32
    # Those who go away while they wait are not asked for.
    for s in ask_for_history(driver, 30):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    start = time.monotonic()
    driver.json("/api/v1/history?metric=a")
    assert time.monotonic() - start < 2.5   # of the 3 s that they would take


def test_without_a_tick_or_a_store(own):
    driver = own("--no-ticks", "--no-store")
    assert driver.json("/api/v1/metrics") == []
    assert driver.json("/api/v1/latest", 503)["error"]["code"] == "not_ready"
    assert driver.json("/api/v1/events", 503)["error"]["code"] == "not_ready"
    assert driver.get("/healthz").status == 503
    assert driver.get("/metrics").status == 200
    with driver.live() as live:
        hello = live.message()
    assert hello["latest"] is None and hello["events"] == [] and hello["metrics"] == []


# ---- files ----

def test_files(driver):
    page = driver.get("/")
    assert page.status == 200 and page.text.startswith(b"<!doctype html>")
    assert page.getheader("content-type") == "text/html; charset=utf-8"
    assert page.getheader("etag") == '"a1b2c3"'
    again = driver.get("/", If_None_Match='"a1b2c3"')
    assert again.status == 304 and again.text == b""
    assert driver.get("/events").text == page.text  # a view of the page
    assert driver.get("/missing.js").status == 404
    assert driver.get("/api/v1/nothing").status == 404
    assert driver.get("/../../etc/passwd").text == page.text  # only names in the binary
    head = driver.get("/", "HEAD")
    assert head.status == 200 and head.text == b""
    assert head.getheader("content-length") == page.getheader("content-length")


@pytest.mark.parametrize("accepts, packed", [
    ("gzip, deflate, br", True), ("gzip;q=0.5", True), ("identity", False),
    ("gzip;q=0, identity", False), (None, False)])
def test_gzip_for_those_who_take_it(driver, accepts, packed):
    # http.client says identity by itself, so the header is sent empty for "none".
    answer = driver.get("/app.js", Accept_Encoding=accepts or "")
    assert (answer.getheader("content-encoding") == "gzip") == packed
    text = gzip.decompress(answer.text) if packed else answer.text
    assert text == b"console.log('driver');\n"
    assert answer.getheader("vary") == "accept-encoding"


@pytest.mark.parametrize("accepts, packed", [
    ("gzip", True), ("x-gzip", True), ("GZIP", True), ("deflate, gzip;q=1.0", True),
    ("gzip ; q=0.001", True), ("*", True), ("br, *;q=0.1", True), ("gzip;q=0", False),
    ("gzip;q=0.000", False), ("*;q=0", False), ("gzip;q=0, *", False), ("br", False),
    ("gzip;q=0.5, identity", False), ("gzip;q=0.5, identity;q=0.4", True),
    ("notgzip", False), ("gzipped", False), ("gzip;q=2", False), ("gzip;q=x", False),
    ("gzip;level=9", False), ("", False)])
def test_large_answers_are_packed(driver, accepts, packed):
    for path in ("/api/v1/processes", "/api/v1/events", "/metrics",
                 "/api/v1/history?metric=a&metric=b&metric=c"):
        plain = driver.get(path, Accept_Encoding="")
        answer = driver.get(path, Accept_Encoding=accepts)
        assert (answer.getheader("content-encoding") == "gzip") == packed, path
        assert answer.getheader("vary") == "accept-encoding"
        assert int(answer.getheader("content-length")) == len(answer.text)
        if packed:
            assert len(answer.text) < len(plain.text) / 2
            assert len(gzip.decompress(answer.text)) > 2048
    assert driver.get("/healthz", Accept_Encoding="gzip").text == b"ok\n"  # small


# ---- who may ask ----

def test_every_answer_has_the_security_headers(driver):
    for path in ("/", "/api/v1/status", "/metrics", "/missing.js", "/healthz"):
        answer = driver.get(path)
        policy = answer.getheader("content-security-policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("referrer-policy") == "no-referrer"
        assert answer.getheader("cross-origin-opener-policy") == "same-origin"
        assert answer.getheader("cross-origin-resource-policy") == "same-origin"


BAD_HEADERS = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost:"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://127.0.0.1:1"},
]


@pytest.mark.parametrize("headers", BAD_HEADERS)
@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/metrics", "/healthz"])
def test_strangers_are_refused(driver, headers, path):
    headers = {k: v.format(port=driver.port) for k, v in headers.items()}
    assert driver.get(path, **headers).status == 403


@pytest.mark.parametrize("headers", BAD_HEADERS)
def test_strangers_get_no_websocket(driver, headers):
    headers = {k.lower(): v.format(port=driver.port) for k, v in headers.items()}
    with pytest.raises(Refused, match="403|closed"):
        driver.live(**headers)


def test_friends_are_not_refused(driver):
    port = driver.port
    for host in (f"localhost:{port}", "localhost", f"[::1]:{port}", "127.0.0.1:9"):
        assert driver.get("/api/v1/status", Host=host).status == 200
        assert driver.get("/api/v1/status", Host=host,
                          Origin=f"http://{host}").status == 200
        driver.live(host=host, origin=f"http://{host}").close()


def test_other_sites_may_link_but_not_load(driver):
    assert driver.get("/", Sec_Fetch_Site="cross-site").status == 200
    assert driver.get("/api/v1/status", Sec_Fetch_Site="cross-site").status == 403
    assert driver.get("/api/v1/status", Sec_Fetch_Site="same-site").status == 403
    assert driver.get("/api/v1/status", Sec_Fetch_Site="same-origin").status == 200
    with pytest.raises(Refused):
        driver.live(extra="Sec-Fetch-Site: cross-site\r\n")


def test_the_second_request_of_a_connection_is_checked_too(driver):
    good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    bad = "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    answer = driver.raw(good + bad + good)
    assert answer.count("HTTP/1.1 200 ") == 1 and answer.count("HTTP/1.1 403 ") == 1
    assert '"version"' not in answer


BODY = '{"feedback": "expected"}'
POST = ("POST /api/v1/events/7/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        f"application/json\r\nContent-Length: {len(BODY)}\r\n\r\n" + BODY)
SLOW_GET = "GET /api/v1/history?metric=a HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("text, statuses", [
    (POST + POST, "200 200"), (POST + SLOW_GET, "200 200"), (POST + "x" * 3000, "200"),
    (SLOW_GET + POST + SLOW_GET, "200 200 200"), (SLOW_GET * 3, "200 200 200"),
    (SLOW_GET + "x", "200"), (SLOW_GET + POST * 3, "200 200 200 200"),
    ("x" + POST * 2, "501")])
def test_what_comes_behind_a_request_waits(own, text, statuses):
    """More bytes come while an answer is still being looked up: they are the next request,
    each is answered once and in turn, and waiting costs nothing."""
    driver = own("--store-delay-ms", 300)
    start = driver.cpu_seconds()
    with socket.create_connection(("127.0.0.1", driver.port), timeout=1) as s:
        answer = b""
        try:
            for piece in text.partition(BODY):
                s.sendall(piece.encode())
                time.sleep(0.05)
            while piece := s.recv(65536):
                answer += piece
        except OSError:  # silence, or closed
            pass
    assert re.findall(r"HTTP/1.1 (\d+) ", answer.decode()) == statuses.split()
    assert answer.count(b'"feedback":"expected"') == text.count(BODY) * (statuses != "501")
    assert driver.get("/healthz").status == 200
    assert driver.cpu_seconds() - start < 0.7


def test_twice_the_same_header_is_refused(driver):
    answer = driver.raw("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
                        "Host: evil.example\r\nConnection: close\r\n\r\n")
    assert '"version"' not in answer


@pytest.mark.parametrize("text", [
    "GET /api/v1/status HTTP/1.1\r\n\r\n",
    "GET /api/v1/status HTTP/1.0\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, "
    "HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00",
    "GET /" + "a" * 100000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + "a" * 100000 + "\r\n\r\n",
    "POST /api/v1/events/7/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
    "application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST /api/v1/events/7/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
    "application/json\r\nContent-Length: -5\r\n\r\n",
    "POST /api/v1/events/7/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
    "application/json\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    "GET /api/v1/history?metric=a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%00%ff%zz?%=&&=&%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x00" * 5000,
    b"\r\n" * 2000,
])
def test_odd_requests_get_nothing(driver, text):
    answer = driver.raw(text, timeout=2)
    assert '"version"' not in answer and "HTTP/1.1 101" not in answer
    assert driver.get("/healthz").status == 200  # and it lives on


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
def test_other_methods_are_refused(driver, method):
    answer = driver.raw(f"{method} /api/v1/events/7/feedback HTTP/1.1\r\n"
                        "Host: localhost\r\nContent-Length: 0\r\n\r\n", timeout=2)
    assert " 200 " not in answer
    assert driver.get("/healthz").status == 200


def test_only_this_machine_may_be_served():
    for options, said in ((["--address", "0.0.0.0"], "is not of this machine alone"),):
        run = subprocess.run([BUILD / "show_driver", *options], capture_output=True,
                             text=True, timeout=10)
        assert run.returncode == 1 and said in run.stderr


def test_a_taken_port_is_said(driver):
    run = subprocess.run([BUILD / "show_driver", "--port", str(driver.port)],
                         capture_output=True, text=True, timeout=10)
    assert run.returncode == 1
    assert f"port {driver.port} on 127.0.0.1 is in use by another program" in run.stderr
    assert "--port" in run.stderr


# ---- the live feed ----

def test_hello_comes_first_and_is_whole(driver):
    with driver.live() as live:
        hello = live.message()
    assert list(hello) == ["type", "status", "metrics", "latest", "events"]
    assert hello["type"] == "hello" and len(hello["metrics"]) >= 20
    assert hello["latest"]["type"] == "tick"
    assert 20 <= len(hello["events"]) <= 21
    ids = [e["id"] for e in hello["events"]]
    assert ids == sorted(ids, reverse=True)


def test_ticks_come_in_order_and_the_schema_grows(own):
    driver = own("--interval-ms", 200)
    with driver.live() as live:
        hello = live.message()
        n = len(hello["metrics"])
        assert n == 20
        ticks, grown = [], None
        while len(ticks) < 8:
            message = live.message()
            if message["type"] == "metrics":
                grown = message["metrics"]
            elif message["type"] == "tick":
                known = len(grown) if grown else n
                assert message["n_metrics"] == len(message["v"]) == known
                ticks.append(message["tick"])
        assert grown is not None and grown[20]["name"] == "disk_busy_percent{plugged}"
    assert ticks == list(range(ticks[0], ticks[0] + 8))


def test_events_are_told_whole(driver):
    with driver.live() as live:
        live.message()
        changes = {}
        while not any(c[-1:] == ["ended"] and c[0] == "opened" for c in changes.values()):
            message = live.until("event")
            changes.setdefault(message["event"]["id"], []).append(message["change"])
            event = message["event"]
            assert (event["end"] is None) == (message["change"] != "ended")
    done = [c for c in changes.values() if c[0] == "opened" and c[-1] == "ended"][0]
    assert done == ["opened", "updated", "updated", "ended"]


def test_processes_when_asked(driver):
    with driver.live() as live:
        live.message()
        seen = [live.message()["type"] for _ in range(10)]
        assert "processes" not in seen
        live.send('{"type": "processes", "on": true}')
        assert len(live.until("processes")["processes"]) == 50
        live.until("tick")
        live.until("processes", 4)
        live.send('{"type": "processes", "on": false}')
        wait(lambda: not any(live.message()["type"] == "processes" for _ in range(8)))


def follow(live, until, asleep=0):
    """The lists of processes of a page that asked for changes, by their time; how many
    came whole, and the bytes of the others."""
    known, lists, whole, sizes = {}, {}, 0, []
    while not lists or max(lists) < until:
        message = live.message()
        if message["type"] == "processes":
            whole += 1
            known = {p["pid"]: p for p in message["processes"]}
        elif message["type"] == "process_changes":
            sizes.append(len(json.dumps(message)))
            for pid in message["gone"]:
                del known[pid]
            for change in message["changed"]:
                known[change["pid"]] = {**known.get(change["pid"], {}), **change}
        else:
            continue
        lists[message["t"]] = {pid: dict(p) for pid, p in known.items()}
        if asleep and len(lists) == 20:
            time.sleep(asleep)
    return lists, whole, sizes


@pytest.mark.parametrize("options", [["--churn"], []])
def test_changes_of_processes_give_the_same_list(own, options):
    driver = own("--processes", 60, *options)
    with driver.live() as plain, driver.live() as changes:
        for live in (plain, changes):
            live.message()
        plain.send('{"type": "processes", "on": true}')
        changes.send('{"type": "processes", "on": true, "changes": true}')
        plain.until("processes")
        full = [plain.until("processes") for _ in range(12)]
        lists, whole, sizes = follow(changes, full[-1]["t"])
    compared = [m for m in full if m["t"] in lists]
    assert len(compared) > 8 and whole == 1
    for message in compared:
        assert lists[message["t"]] == {p["pid"]: p for p in message["processes"]}
    assert max(sizes) < (800 if options else 100)


def test_a_page_that_missed_a_tick_gets_the_whole_list_again(own):
    driver = own("--churn", "--interval-ms", 20, "--metrics", 4000, "--processes", 300)
    with driver.live(receive_buffer=4096) as live:
        live.message()
        live.send('{"type": "processes", "on": true, "changes": true}')
        lists, whole, _ = follow(live, time.time() + 3, asleep=1.5)
        assert 1 < whole < len(lists)
        last = max(lists)
        live.send('{"type": "processes", "on": true}')
        full = live.until("processes")
        assert len(lists[last]) == len(full["processes"]) == 300


def test_a_page_is_told_of_what_it_shows_and_of_what_changed(own):
    """Beside a page that gets whole ticks: the same values to four digits, fewer bytes."""
    driver = own("--processes", 60, "--churn")
    shown = [0, 3, 4, 5]
    known, sizes, compared = {}, [], 0
    with driver.live() as plain, driver.live() as page:
        plain.message()
        hello = page.message()
        assert max(shown) < len(hello["metrics"])
        page.send('{"type": "view", "metrics": [0, [3, 5]], "top": true}')
        ticks = {m["t"]: m for m in (plain.until("tick") for _ in range(12))}
        busy = {}
        while not known or max(known) < max(ticks):
            message = page.message()
            if message["type"] != "changes":
                continue
            before = known.get(max(known, default=None), {})
            if message["whole"]:
                assert sorted(map(int, message["v"])) == shown
            assert set(map(int, message["v"])) <= set(shown)
            assert "detectors" not in message
            known[message["t"]] = {**before, **message["v"]}
            for process in message["top_cpu"]:
                assert process["pid"] in busy or "name" in process
                busy[process["pid"]] = {**busy.get(process["pid"], {}), **process}
            sizes.append((message["whole"], len(json.dumps(message))))
            if (tick := ticks.get(message["t"])) is None:
                continue
            compared += 1
            for index in shown:
                assert known[message["t"]][str(index)] == pytest.approx(tick["v"][index],
                                                                        rel=6e-4)
            assert [p["pid"] for p in message["top_cpu"]] == [
                p["pid"] for p in tick["top_cpu"]]
            for process in tick["top_cpu"]:
                assert busy[process["pid"]]["command"] == process["command"]
    assert compared > 8
    assert [whole for whole, _ in sizes].count(True) == 1
    assert max(size for whole, size in sizes if not whole) < 3000


def test_another_view_begins_whole_and_with_its_detectors(driver):
    with driver.live() as live:
        live.message()
        live.send('{"type": "view", "metrics": []}')
        assert live.until("changes")["v"] == {}
        status = live.until("status", 400)["status"]
        assert "receivers" in status and "detectors" not in status
        live.send('{"type": "view", "detectors": true}')
        while not (message := live.until("changes"))["whole"]:
            assert message["v"] == {}
        assert len(message["v"]) > 10 and message["detectors"]
        assert not live.until("changes")["whole"]
        assert live.until("status", 400)["status"]["detectors"]


def test_a_page_that_missed_a_tick_gets_all_of_its_view_again(own):
    driver = own("--churn", "--interval-ms", 20, "--metrics", 4000, "--processes", 300)
    with driver.live(receive_buffer=4096) as live:
        live.message()
        live.send('{"type": "view"}')
        whole = 0
        for i in range(60):
            whole += live.until("changes")["whole"]
            if i == 20:
                time.sleep(1.5)
        assert 1 < whole < 60


def test_a_message_in_pieces(driver):
    with driver.live() as live:
        live.message()
        live.send('{"type": "proc', final=False)
        live.send('esses", "on"', opcode=0, final=False)
        live.send(": true}", opcode=0)
        live.until("processes")


@pytest.mark.parametrize("payload, opcode", [
    ("not json", 1), ("[]", 1), ('{"on": true}', 1), ("x" * 5000, 1), (b"\x00\xff", 2),
    (b"\xff\xfe", 1), ("{" * 900, 1), ('{"type": "view", "metrics": ["cpu_percent"]}', 1)])
def test_bad_messages_end_the_connection(driver, payload, opcode):
    with driver.live() as live:
        live.message()
        live.send(payload, opcode=opcode)
        with pytest.raises((EOFError, ConnectionResetError)):
            live.until("never", 1000)
    assert driver.get("/healthz").status == 200


def test_unknown_messages_are_left_alone(driver):
    with driver.live() as live:
        live.message()
        live.send('{"type": "future", "x": [1, 2, 3]}')
        live.until("tick")


def test_no_extension_is_agreed_on(driver):
    with driver.live(extra="Sec-WebSocket-Extensions: permessage-deflate\r\n") as live:
        assert "extensions" not in live.head.lower()


def test_websockets_live_at_one_address(driver):
    for path in ("/", "/api/v1/status", "/api/v1/live/x"):
        with pytest.raises(Refused):
            driver.live(path=path)
    assert driver.get("/api/v1/live").status == 404


def test_there_is_room_for_so_many_clients_and_no_more(own):
    driver = own("--max-clients", 3)
    clients = [driver.live() for _ in range(3)]
    for client in clients:
        client.message()
    with pytest.raises(Refused):
        driver.live()
    clients.pop().close()

    def comes_in():
        try:
            driver.live().close()
        except Refused:
            return False
        return True

    wait(comes_in)
    for client in clients:
        client.until("tick")
        client.close()


def test_a_slow_client_gets_the_newest_and_every_event(own):
    """Ticks of 60 kB, 50 a second, for a client that does not read for 3 seconds."""
    driver = own("--interval-ms", 20, "--metrics", 4000, "--processes", 200)
    with driver.live(receive_buffer=4096) as slow, driver.live() as fast:
        slow.message()
        first = slow.until("tick")["tick"]
        fast.message()
        fast.until("tick")
        before = driver.resident_kb()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            fast.until("tick")
        assert driver.resident_kb() - before < 8000  # nothing piles up
        last = fast.until("tick")["tick"]
        ticks, changes = [], {}
        while not ticks or ticks[-1] < last:
            message = slow.message()
            if message["type"] == "tick":
                ticks.append(message["tick"])
            elif message["type"] == "event":
                changes.setdefault(message["event"]["id"], []).append(message["change"])
    assert ticks == sorted(ticks) and len(ticks) < (last - first) / 2
    ids = sorted(changes)
    assert ids == list(range(ids[0], ids[-1] + 1)) and len(ids) > 5
    for event in ids[1:-1]:
        assert changes[event][0] == "opened" and changes[event][-1] == "ended"


def test_a_client_that_never_reads_is_dropped(own):
    driver = own("--interval-ms", 5, "--metrics", 4000)
    stuck = driver.live(receive_buffer=4096)

    def dropped():
        text = driver.get("/metrics").text.decode()
        return "\nvedette_live_clients 0\n" in text and (
            "\nvedette_live_clients_dropped_total 1\n" in text)

    wait(dropped, 60)
    stuck.close()


# ---- crowds ----

def test_slow_headers_do_not_keep_others_out(own):
    """More half-open requests than there is room for: the oldest of them make room, and
    dripping a byte now and then keeps none of them in."""
    driver = own()
    crowd = []
    for _ in range(150):
        s = socket.create_connection(("127.0.0.1", driver.port))
        s.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        crowd.append(s)
    start = time.monotonic()
    answer = driver.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                        "Connection: close\r\n\r\n", timeout=10)
    assert "HTTP/1.1 200" in answer
    assert time.monotonic() - start < 1
    end = time.monotonic() + 15
    while crowd and time.monotonic() < end:
        for s in crowd[:]:
            try:
                s.sendall(b"a")
                s.setblocking(False)
                if b"408" in s.recv(1000) or s.recv(1000) == b"":
                    raise ConnectionResetError
            except BlockingIOError:
                pass
            except OSError:
                s.close()
                crowd.remove(s)
        time.sleep(0.5)
    assert not crowd


def test_a_body_that_never_comes_times_out(own):
    driver = own()
    answer = driver.raw("POST /api/v1/events/7/feedback HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{",
                        timeout=40)
    assert answer.startswith("HTTP/1.1 408 ")


def test_many_requests_leave_nothing_behind(own):
    driver = own()
    paths = ["/", "/api/v1/latest", "/api/v1/events", "/metrics", "/missing.js",
             "/api/v1/history?metric=a"]
    connection = http.client.HTTPConnection("127.0.0.1", driver.port, timeout=10)
    before = None
    for i in range(3000):
        connection.request("GET", paths[i % len(paths)])
        connection.getresponse().read()
        if i == 600:
            before = driver.resident_kb()
    assert driver.resident_kb() - before < 400
    descriptors = len(os.listdir(f"/proc/{driver.process.pid}/fd"))
    connection.close()
    for _ in range(200):
        driver.live().close()
        s = socket.create_connection(("127.0.0.1", driver.port))
        s.sendall(b"GET /api/v1/history?metric=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.close()
    wait(lambda: len(os.listdir(f"/proc/{driver.process.pid}/fd")) <= descriptors)
    assert driver.resident_kb() - before < 1500


def test_the_end_comes_while_clients_are_busy():
    driver = started("--store-delay-ms", 300)
    clients = [driver.live() for _ in range(4)]
    busy = ask_for_history(driver, 10)
    clients[0].until("tick")
    driver.stop()
    for one in clients:
        one.close()
    for s in busy:
        s.close()


# ---- scrapes ----

def families(driver, openmetrics):
    if openmetrics:
        parser = pytest.importorskip("prometheus_client.openmetrics.parser")
        answer = driver.get("/metrics", Accept="application/openmetrics-text; "
                            "version=1.0.0,text/plain;version=0.0.4;q=0.5")
        kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    else:
        parser = pytest.importorskip("prometheus_client.parser")
        answer = driver.get("/metrics")
        kind = "text/plain; version=0.0.4; charset=utf-8"
    assert answer.getheader("content-type") == kind
    text = answer.text.decode()
    assert text.endswith("# EOF\n") == openmetrics
    return {f.name: f for f in parser.text_string_to_metric_families(text)}


@pytest.mark.parametrize("openmetrics", [True, False])
def test_prometheus_reads_it(driver, openmetrics):
    found = families(driver, openmetrics)
    disks = found["vedette_disk_busy_percent"].samples
    labels = [s.labels["device"] for s in disks]
    assert "sda" in labels and len(labels) == len(set(labels))
    assert [s.labels for s in found["vedette_machine_disk_busy_percent"].samples] == [{}]
    assert found["vedette_cpu_percent"].type == "gauge"
    available = found["node_memory_MemAvailable_bytes"].samples[0].value  # GB: tick + 1/3
    assert available % 2**30 == pytest.approx(2**30 / 3)
    assert found["vedette_anomaly_score"].samples[0].value == 0.78
    detectors = found["vedette_detector_score"].samples
    assert [s.labels for s in detectors] == [{"detector": "isolation_forest"}]
    events = found["vedette_events"]
    assert events.type == "counter"
    assert {s.labels["severity"] for s in events.samples} == {"low", "medium", "high",
                                                              "critical"}
    assert [s.labels for s in found["vedette_sink_sent"].samples] == [
        {"sink": "sqlite"}, {"sink": "kafka"}]
    assert found["process_resident_memory_bytes"].samples[0].value == 12 * 2**20
    build = found["vedette_build" if openmetrics else "vedette_build_info"]
    assert build.samples[0].labels == {"version": "0.0.test"}


@pytest.mark.parametrize("openmetrics", [True, False])
def test_hostile_labels_are_escaped(driver, openmetrics):
    disks = families(driver, openmetrics)["vedette_disk_busy_percent"].samples
    assert 'evil"\\\n\ufffd{}' in [s.labels["device"] for s in disks]
    assert driver.json("/api/v1/metrics")[4]["label"] == 'evil"\\\n\ufffd{}'


def test_promtool_finds_no_error(driver):
    try:
        run = subprocess.run(["promtool", "check", "metrics"], timeout=20, text=True,
                             input=driver.get("/metrics").text.decode(),
                             capture_output=True)
    except FileNotFoundError:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    # It does not like the node exporter's own names; all else must please it.
    problems = [line for line in run.stderr.splitlines() if not line.startswith("node_")]
    assert run.returncode in (0, 3) and problems == [], run.stderr

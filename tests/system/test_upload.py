"""Tables sent to the real monitor: received, analysed, listed, read in pages, downloaded,
removed; what is hostile, cut off or too large; and what a restart keeps."""
import csv
import hashlib
import http.client
import io
import json
import math
import random
import re
import socket
import time
from urllib.parse import quote

import pytest
from monitor import PATIENCE, Monitor, wait

ROOT = "/api/v1/analyses"
MAX = 3_000_000  # bytes of one table
ODD = (400, 401, 402, 700)


def table(rows=1000, seed=1, odd=ODD, times=True):
    """A machine at work in whose rows `odd` the processor and the disk run away."""
    rng = random.Random(seed)
    out = io.StringIO()
    out.write("timestamp,cpu_percent,memory_percent,disk_read_mb,network_sent_mb\n"
              if times else "a,b,c,d\n")
    for i in range(rows):
        cpu = 20 + 5 * math.sin(i / 40) + rng.gauss(0, 1.5)
        values = [cpu, 40 + rng.gauss(0, 0.4), abs(rng.gauss(2, 0.3)), abs(rng.gauss(1, 0.2))]
        if i in odd:
            values = [97.0, 44.0, 180.0, 1.1]
        text = ",".join(f"{v:.3f}" for v in values)
        out.write((f"{1767225600 + 10 * i}," if times else "") + text + "\n")
    return out.getvalue().encode()


class Server(Monitor):
    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body,
                               {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer
        finally:
            connection.close()

    def send(self, body, name="table.csv", expect=(200, 201), type_="text/csv", **settings):
        query = "".join(f"&{k}={v}" for k, v in settings.items())
        status, text, _ = self.ask("POST", f"{ROOT}?name={quote(name)}{query}", body,
                                   Content_Type=type_)
        answer = json.loads(text)
        if expect is not None:
            assert status in expect, (status, answer)
        return status, answer

    def list(self):
        return self.json(ROOT)["analyses"]

    def over(self, id_):
        """The analysis, as soon as it is over."""
        def look():
            answer = self.json(f"{ROOT}/{id_}")
            return answer if answer["state"] in ("done", "failed") else None
        return wait(look, PATIENCE, f"the end of {id_}")

    def delete(self, id_):
        return self.ask("DELETE", f"{ROOT}/{id_}")[0]

    def parts(self):
        """Tables that are being received."""
        return [f for f in self.files() if re.fullmatch(r"\d+\.part", f)]

    def files(self):
        return sorted(p.name for p in (self.data_dir / "analyses").iterdir())


def start(folder, *options):
    return Server(folder / "data", "--no-desktop", "--upload-max", str(MAX),
                  *options).started()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = start(tmp_path_factory.mktemp("upload"))
    yield s
    try:
        s.stop()
    finally:
        s.kill()


def error_of(text):
    return json.loads(text)["error"]


@pytest.mark.tsan
def test_from_upload_to_delete(server):
    body = table()
    status, sent = server.send(body, "host a.csv")
    assert status == 201 and sent["state"] in ("waiting", "running"), sent
    assert sent["sha256"] == hashlib.sha256(body).hexdigest()
    done = server.over(sent["id"])
    assert done["state"] == "done", done
    assert done["name"] == "host a.csv" and done["size"] == len(body)
    assert done["summary"]["rows"] == 1000
    found = {row for e in done["result"]["events"] for row in range(e["first"], e["last"] + 1)}
    assert set(ODD) <= found and done["summary"]["anomalies"] < 30
    first = done["result"]["events"][0]["peak"]
    assert "High CPU usage detected" in first["reason"] and "CPU: 97.0%" in first["factors"]
    parts = done["result"]["parts"]
    assert len(parts["row"]) == len(parts["score"]) == 1000
    assert sum(parts["anomalies"]) == done["summary"]["anomalies"]
    names = [c["name"] for c in done["result"]["columns"] if c["left_out"] is None]
    assert names == ["cpu_percent", "memory_percent", "disk_read_mb", "network_sent_mb"]
    assert [a["id"] for a in server.list()][0] == sent["id"]

    status, text, answer = server.ask("GET", f"{ROOT}/{sent['id']}/scored.csv")
    assert status == 200
    assert answer.getheader("content-disposition") == \
        'attachment; filename="host_a-scored.csv"'
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert len(rows) == 1000
    assert sum(r["is_anomaly"] == "True" for r in rows) == done["summary"]["anomalies"]
    assert all(rows[i]["is_anomaly"] == "True" for i in ODD)
    status, text, _ = server.ask("GET", f"{ROOT}/{sent['id']}/result.json")
    assert status == 200 and json.loads(text) == done["result"]
    status, text, answer = server.ask("GET", f"{ROOT}/{sent['id']}/report.html")
    assert status == (200 if done["summary"]["report"] else 404)
    if done["summary"]["report"]:
        assert b"<!doctype html>" in text[:200].lower() and b"host a.csv" in text
        assert answer.getheader("content-disposition").startswith("attachment")
    assert server.delete(sent["id"]) == 200
    assert server.delete(sent["id"]) == 404
    assert server.ask("GET", f"{ROOT}/{sent['id']}")[0] == 404
    assert not [f for f in server.files() if f.startswith(sent["id"])]


def test_the_same_again_is_at_once_and_other_settings_are_another(server):
    body = table(seed=2)
    _, first = server.send(body, "same.csv")
    server.over(first["id"])
    status, again = server.send(body, "other name.csv")
    assert status == 200 and again["id"] == first["id"] and again["state"] == "done"
    assert again["name"] == "same.csv"
    status, other = server.send(body, "same.csv", contamination=0.05)
    assert status == 201 and other["id"] != first["id"]
    done = server.over(other["id"])
    assert done["summary"]["anomalies"] == 50
    assert sum(a["sha256"] == first["sha256"] for a in server.list()) == 2


def test_pages_of_rows(server):
    _, sent = server.send(table(seed=3, rows=777), "pages.csv")
    done = server.over(sent["id"])
    _, text, _ = server.ask("GET", f"{ROOT}/{sent['id']}/scored.csv")
    names, *rows = csv.reader(io.StringIO(text.decode()))
    seen = []
    for at in range(0, 777, 100):
        page = server.json(f"{ROOT}/{sent['id']}/rows?from={at}&limit=100")
        assert page["total"] == 777 and page["columns"] == names
        seen += page["rows"]
    assert [r["cells"] for r in seen] == rows
    assert [r["row"] for r in seen] == list(range(777))
    assert [r["odd"] for r in seen] == [r[2] == "True" for r in rows]
    odd = server.json(f"{ROOT}/{sent['id']}/rows?odd=1&limit=500")
    assert odd["rows"] == [r for r in seen if r["odd"]]
    assert odd["total"] == done["summary"]["anomalies"]
    second = server.json(f"{ROOT}/{sent['id']}/rows?odd=1&from=1&limit=2")
    assert second["rows"] == odd["rows"][1:3] and second["total"] == odd["total"]
    assert server.json(f"{ROOT}/{sent['id']}/rows?from=5000")["rows"] == []


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.05, 0.2, 0.5])
def test_another_share_is_scored_anew_from_what_is_kept(server, share):
    _, sent = server.send(table(seed=4, rows=2000, odd=(100, 1500)), "share.csv")
    server.over(sent["id"])
    before = time.monotonic()
    answer = server.json(f"{ROOT}/{sent['id']}/share?share={share}")
    assert time.monotonic() - before < 5
    assert answer["rows"] == 2000 and sum(answer["parts"]) == answer["anomalies"]
    wanted = round(2000 * share)
    # Rows that are equally odd are flagged together; ordinary ones all have their own.
    assert wanted <= answer["anomalies"] <= wanted + (2 if wanted < 5 else 0.02 * 2000)
    rows = server.json(f"{ROOT}/{sent['id']}/rows?odd=1&share={share}&limit=500")
    assert rows["total"] == answer["anomalies"]
    least = min((r["surprise"] for r in rows["rows"]), default=None)
    if 0 < share <= 0.2:
        everything = []
        for at in range(0, 2000, 500):
            everything += server.json(
                f"{ROOT}/{sent['id']}/rows?from={at}&limit=500")["rows"]
        assert sum(r["surprise"] >= least for r in everything) == answer["anomalies"]


def test_tables_without_times_and_packed_ones(server):
    import gzip
    body = table(seed=5, times=False)
    _, sent = server.send(gzip.compress(body), "rows.csv.gz", type_="application/gzip")
    done = server.over(sent["id"])
    assert done["state"] == "done", done
    assert done["summary"]["rows"] == 1000 and done["summary"]["from"] is None
    assert all(t is None for t in done["result"]["parts"]["t"])


HOSTILE = {
    "nothing but a name": b"cpu_percent\n",
    "not a table": b"\x00\x01\x02" * 500,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(2000),
    "an open quote": b'a,b\n1,2\n"3,4\n' + b"5,6\n" * 50,
    "no numbers": b"name,word\n" + b"x,y\n" * 50,
    "half of a gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc",
    "json": b'{"a": [1, 2, 3]}',
    "a row too long": b"a,b\n" + b"1,2\n" * 20 + b"1,2,3,4,5\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_table_fails_with_a_reason(server, kind):
    _, sent = server.send(HOSTILE[kind], kind)
    done = server.over(sent["id"])
    assert done["state"] == "failed", done
    assert done["error"]["message"] and "/proc/" not in done["error"]["message"]
    left = [f for f in server.files() if f.startswith(sent["id"])]
    assert left == [f"{sent['id']}.item"]
    assert server.ask("GET", f"{ROOT}/{sent['id']}/rows")[0] == 404
    assert server.ask("GET", f"{ROOT}/{sent['id']}/scored.csv")[0] == 404
    assert server.delete(sent["id"]) == 200
    assert server.status()["points"] > 0


@pytest.mark.parametrize("name, shown", [
    ("../../etc/passwd", "passwd"),
    ("C:\\data\\host.csv", "host.csv"),
    ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
    ("a\r\nset-cookie: x", "a??set-cookie: x"),
    ('quote".csv', 'quote".csv'),
    ("Привет, мир.csv", "Привет, мир.csv"),
    ("", "table"),
    ("dir/", "table"),
    ("\x1b[31mred", "?[31mred"),
])
def test_a_name_is_text(server, name, shown):
    _, sent = server.send(table(rows=60, seed=len(name), odd=()), name, seed=len(name))
    assert sent["name"] == shown
    server.over(sent["id"])
    _, _, answer = server.ask("GET", f"{ROOT}/{sent['id']}/scored.csv")
    assert answer.getheader("set-cookie") is None
    assert all(c.isalnum() or c in "-_. \";=" for c in
               answer.getheader("content-disposition")), name
    server.delete(sent["id"])


@pytest.mark.tsan
def test_several_at_once(server):
    import threading
    bodies = [table(seed=20 + i, rows=3000) for i in range(3)]
    answers = [None] * 3

    def send(i):
        answers[i] = server.send(bodies[i], f"at once {i}.csv", expect=None)

    threads = [threading.Thread(target=send, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [status for status, _ in answers] == [201] * 3, answers
    for body, (_, sent) in zip(bodies, answers):
        done = server.over(sent["id"])
        assert done["state"] == "done" and done["summary"]["rows"] == 3000
        assert done["sha256"] == hashlib.sha256(body).hexdigest()


def raw(server, head, body=b""):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=15)
    s.sendall(head + body)
    return s


def head_of(server, size, path=f"{ROOT}?name=x", more=""):
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Content-Type: text/csv\r\nContent-Length: {size}\r\n{more}\r\n").encode()


def test_what_is_too_large_is_refused_before_its_first_byte(server):
    s = raw(server, head_of(server, MAX + 1))
    answer = s.recv(65536)
    s.close()
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    error = error_of(answer.split(b"\r\n\r\n", 1)[1])
    assert error["code"] == "too_large" and "3" in error["message"]
    s = raw(server, head_of(server, 10**30))
    assert s.recv(65536).startswith(b"HTTP/1.1 413 ")
    s.close()
    assert not server.parts()


def test_a_client_may_wait_for_the_word_to_go_on(server):
    body = table(rows=100, seed=30)
    s = raw(server, head_of(server, len(body), more="Expect: 100-continue\r\n"))
    assert s.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
    s.sendall(body)
    assert s.recv(65536).startswith(b"HTTP/1.1 201 ")
    s.close()


def test_a_connection_goes_on_after_a_table(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
    for seed in (31, 32):
        connection.request("POST", f"{ROOT}?name=k", table(rows=100, seed=seed),
                           {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        assert answer.status == 201 and answer.read()
    connection.request("GET", ROOT)
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.tsan
@pytest.mark.parametrize("part", [0, 1, 100_000, 999_999])
def test_an_upload_that_is_cut_off_leaves_no_file(server, part):
    before = {a["id"] for a in server.list()}
    s = raw(server, head_of(server, 1_000_000), b"x" * part)
    wait(server.parts, PATIENCE, "its file")
    s.close()
    wait(lambda: not server.parts(), PATIENCE, "its file's end")
    assert {a["id"] for a in server.list()} == before


def test_a_fourth_upload_has_to_wait(server):
    held = [raw(server, head_of(server, 1_000_000), b"x" * 1000) for _ in range(3)]
    wait(lambda: len(server.parts()) == 3, PATIENCE, "three")
    status, answer = server.send(table(rows=50), expect=None)
    assert status == 503 and answer["error"]["code"] == "busy"
    for s in held:
        s.close()
    wait(lambda: not server.parts(), PATIENCE, "none")
    server.send(table(rows=50), "after.csv")


@pytest.mark.parametrize("path, type_, status", [
    (f"{ROOT}?name=x", "application/x-www-form-urlencoded", 415),
    (f"{ROOT}?name=x", "multipart/form-data; boundary=x", 415),
    (f"{ROOT}?name=x", "text/plain", 415),
    (f"{ROOT}?name=x&contamination=0.9", "text/csv", 400),
    (f"{ROOT}?name=x&contamination=nan", "text/csv", 400),
    (f"{ROOT}?name=x&detector=../x", "text/csv", 400),
    (f"{ROOT}?name=x&seed=-1", "text/csv", 400),
    (f"{ROOT}?name=x&counters=both", "text/csv", 400),
    (f"{ROOT}?what=x", "text/csv", 400),
    (f"{ROOT}?name=%zz", "text/csv", 400),
    (f"{ROOT}/0123", "text/csv", 405),
])
def test_what_is_no_upload_is_refused_as_json(server, path, type_, status):
    before = {a["id"] for a in server.list()}
    got, text, _ = server.ask("POST", path, b"a,b\n1,2\n", Content_Type=type_)
    assert got == status and error_of(text)["message"]
    assert {a["id"] for a in server.list()} == before and not server.parts()


def test_other_sites_can_neither_send_nor_delete(server):
    for method in ("POST", "DELETE"):
        status, text, _ = server.ask(method, f"{ROOT}?name=x", b"a\n1\n" if method == "POST"
                                     else None, Content_Type="text/csv",
                                     Origin="http://evil.example")
        assert status == 403 and error_of(text)["code"] == "forbidden"


@pytest.mark.parametrize("path", [
    ROOT + "/" + "0" * 32, ROOT + "/" + "0" * 31, ROOT + "/" + "0" * 33, ROOT + "/../x",
    ROOT + "/", ROOT + "/" + "0" * 32 + "/rows", ROOT + "x"])
def test_what_is_not_there(server, path):
    status, text, _ = server.ask("GET", path)
    assert status == 404 and error_of(text)["code"] == "not_found"


def test_an_analysis_can_be_cancelled(server):
    _, sent = server.send(table(rows=60_000, seed=40), "long.csv", detector="lof")
    assert server.delete(sent["id"]) == 200
    assert sent["id"] not in [a["id"] for a in server.list()]
    wait(lambda: not [f for f in server.files() if f.startswith(sent["id"])], PATIENCE,
         "its files' end")
    status, _ = server.send(table(rows=50, seed=41), "and on.csv")
    assert status == 201


def test_a_restart_keeps_what_is_done_and_removes_what_is_not(tmp_path):
    s = start(tmp_path)
    try:
        _, kept = s.send(table(seed=50), "kept.csv")
        before = s.over(kept["id"])
        _, failed = s.send(b"word\n" + b"x\n" * 9, "failed.csv")
        s.over(failed["id"])
        listed = s.list()
        s.send(table(rows=60_000, seed=51), "cut.csv", detector="lof")
        cut = raw(s, head_of(s, 100_000), b"x" * 1000)
        wait(s.parts, PATIENCE, "a part")
        s.process.kill()
        s.process.wait()
        cut.close()
        (tmp_path / "data" / "analyses" / "mine.txt").write_text("not ours to remove")
        s = start(tmp_path)
        assert s.list() == listed
        assert s.json(f"{ROOT}/{kept['id']}") == before
        assert s.json(f"{ROOT}/{kept['id']}/rows?odd=1")["total"] > 0
        status, again = s.send(table(seed=50), "again.csv")
        assert status == 200 and again["id"] == kept["id"]
        ours = {kept["id"] + e for e in (".item", ".csv", ".result", ".scores")}
        if before["summary"]["report"]:
            ours.add(kept["id"] + ".report")
        assert set(s.files()) == ours | {failed["id"] + ".item", "mine.txt"}
        s.stop()
    finally:
        s.kill()


def test_the_oldest_leave_first(tmp_path):
    s = start(tmp_path, "--uploads-disk", "1MB")
    try:
        sent = []
        for seed in range(60, 66):
            _, answer = s.send(table(rows=1500, seed=seed, odd=()), f"{seed}.csv")
            s.over(answer["id"])
            sent.append(answer["id"])
        kept = [a["id"] for a in s.list()]
        assert kept == sent[::-1][:len(kept)] and 1 <= len(kept) < 6
        assert s.json(ROOT)["disk"]["used"] <= 1e6
        status, answer = s.send(b"a,b\n" + b"1,2\n" * 100_000, expect=None)
        assert status == 507 and answer["error"]["code"] == "no_room"
        assert [a["id"] for a in s.list()] == kept
        s.stop()
        assert "was removed to make room" in (tmp_path / "data" /
                                              "system_monitor.log").read_text()
    finally:
        s.kill()


@pytest.mark.parametrize("option", ["--no-store", "--upload-max=off"])
def test_a_monitor_that_takes_none_says_so(tmp_path, option):
    s = Server(tmp_path / "data", "--no-desktop", option).started()
    try:
        assert s.json(ROOT) == {"upload_max": 0, "disk": {"used": 0, "max": 0},
                                "analyses": []}
        status, answer = s.send(table(rows=10), expect=None)
        assert status == 503 and "takes no tables" in answer["error"]["message"]
        s.stop()
    finally:
        s.kill()


@pytest.mark.takes(30)
def test_no_tick_is_late_meanwhile(server):
    """Several analyses at once and a client that reads rows: ticks come all the same."""
    ids = [server.send(table(rows=40_000, seed=70 + i), f"busy {i}.csv")[1]["id"]
           for i in range(3)]
    first = server.points()
    begun = time.monotonic()
    for id_ in ids:
        server.over(id_)
    wait(lambda: server.points() > first, PATIENCE, "a tick")
    spent = time.monotonic() - begun
    assert server.points() - first >= 0.6 * spent - 2

"""What is no good HTTP is answered with the reason, at once, and then hung up on; so are
WebSocket frames against the rules. Nothing is left to two readings."""

import json
import os
import re
import socket
import struct
import time

import pytest
from live_client import LiveClient
from test_api import started

pytestmark = pytest.mark.tsan

GET = "GET /healthz HTTP/1.1\r\n"
HOST = "Host: localhost\r\n"
FEEDBACK = "POST /api/v1/events/7/feedback HTTP/1.1\r\n" + HOST
JSON = "Content-Type: application/json\r\n"
BODY = '{"feedback": "real"}'
SIZE = f"Content-Length: {len(BODY)}\r\n"
SMUGGLED = "GET /api/v1/status HTTP/1.1\r\n" + HOST + "\r\n"


@pytest.fixture(scope="module")
def driver():
    driver = started()
    yield driver
    driver.stop()


def talk(driver, text, wait=3):
    """All that comes back until the server hangs up, which it must."""
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    with socket.create_connection(("127.0.0.1", driver.port), timeout=wait) as s:
        s.sendall(data)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    return answer


def statuses(answer):
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def line(text):
    return text + "\r\n" + HOST + "\r\n"


def field(text):
    return GET + HOST + text + "\r\n\r\n"


REFUSED = {
    400: {
        "bare LF": "GET /healthz HTTP/1.1\nHost: localhost\n\n",
        "bare LF in a field": GET + "Host: localhost\n\r\n",
        "bare LF at the end": GET + HOST + "\n",
        "bare CR": GET + "Host: localhost\rX: y\r\n\r\n",
        "CR CR LF": GET + "Host: localhost\r\r\n\r\n",
        "CR in the address": line("GET /a\rb HTTP/1.1"),
        "NUL in a value": field("X: a\0b"),
        "NUL in a name": field("X\0: a"),
        "NUL in the address": line("GET /\0 HTTP/1.1"),
        "NUL first": "\0" * 5000,
        "DEL": field("X: \x7f"),
        "escape": field("X: \x1b[2J"),
        "escaped NUL": line("GET /a%00b HTTP/1.1"),
        "broken escape": line("GET /a%zz HTTP/1.1"),
        "short escape": line("GET /a%4 HTTP/1.1"),
        "8 bit in the address": line("GET /\xe9 HTTP/1.1"),
        "fragment": line("GET /a#b HTTP/1.1"),
        "no path": line("GET healthz HTTP/1.1"),
        "whole address": line("GET http://localhost/healthz HTTP/1.1"),
        "star": line("GET * HTTP/1.1"),
        "HTTP/0.9": "GET /healthz\r\n",
        "HTTP/0.9 said": line("GET /healthz HTTP/0.9"),
        "HTTP/1.2": line("GET /healthz HTTP/1.2"),
        "HTTP/2.0": line("GET /healthz HTTP/2.0"),
        "HTTP/9.9": line("GET /healthz HTTP/9.9"),
        "HTTP/1.10": line("GET /healthz HTTP/1.10"),
        "http/1.1": line("GET /healthz http/1.1"),
        "HTTP 1.1": line("GET /healthz HTTP 1.1"),
        "FTP": line("GET /healthz FTP/1.1"),
        "two spaces": line("GET  /healthz HTTP/1.1"),
        "space behind": line("GET /healthz HTTP/1.1 "),
        "space in front": " " + line("GET /healthz HTTP/1.1"),
        "tab": line("GET\t/healthz\tHTTP/1.1"),
        "one word": line("GET"),
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "empty lines": "\r\n" * 200,
        "no method": line(" / HTTP/1.1"),
        "method of odd characters": line("G@T /healthz HTTP/1.1"),
        "space before the colon": field("X : a"),
        "tab before the colon": field("X\t: a"),
        "folded": field("X: a\r\n b"),
        "folded with a tab": field("X: a\r\n\tb"),
        "folded at once": GET + " x: y\r\n" + HOST + "\r\n",
        "no colon": field("nothing"),
        "no name": field(": a"),
        "odd name": field("X(y): a"),
        "no host": GET + "\r\n",
        "two hosts": field("Host: localhost"),
        "two other hosts": field("Host: evil.example"),
        "two origins": field("Origin: http://localhost\r\nOrigin: http://localhost"),
        "two lengths": FEEDBACK + JSON + SIZE + "Content-Length: 5\r\n\r\n" + BODY,
        "the same length twice": FEEDBACK + JSON + SIZE + SIZE + "\r\n" + BODY,
        "a list of lengths": FEEDBACK + JSON + "Content-Length: 20, 20\r\n\r\n" + BODY,
        "negative length": FEEDBACK + JSON + "Content-Length: -5\r\n\r\n",
        "signed length": FEEDBACK + JSON + "Content-Length: +20\r\n\r\n" + BODY,
        "hex length": FEEDBACK + JSON + "Content-Length: 0x14\r\n\r\n" + BODY,
        "length with a space": FEEDBACK + JSON + "Content-Length: 2 0\r\n\r\n" + BODY,
        "empty length": FEEDBACK + JSON + "Content-Length:\r\n\r\n",
        "chunks and a length": FEEDBACK + JSON + SIZE + "Transfer-Encoding: chunked\r\n"
                               "\r\n0\r\n\r\n" + SMUGGLED,
        "a length and chunks": FEEDBACK + JSON + "Transfer-Encoding: chunked\r\n" + SIZE
                               + "\r\n0\r\n\r\n" + SMUGGLED,
        "chunks in 1.0": "POST /api/v1/events/7/feedback HTTP/1.0\r\n" + HOST + JSON
                         + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two encodings": FEEDBACK + JSON + "Transfer-Encoding: chunked\r\n"
                         "Transfer-Encoding: identity\r\n\r\n",
        "a GET with a body": field(f"Content-Length: {len(SMUGGLED)}") + SMUGGLED,
        "a GET with chunks": field("Transfer-Encoding: chunked") + "0\r\n\r\n",
        "query on a POST": "POST /api/v1/events/7/feedback?x=1 HTTP/1.1\r\n" + HOST + JSON
                           + SIZE + "\r\n" + BODY,
        "known query on a POST": "POST /api/v1/events/7/feedback?feedback=real HTTP/1.1"
                                 "\r\n" + HOST + JSON + SIZE + "\r\n" + BODY,
        "h2c": GET + HOST + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
               "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "unknown upgrade": GET + HOST + "Connection: upgrade\r\nUpgrade: foo\r\n\r\n",
        "a name as long as its field": GET + "a" * 5000 + "\r\n\r\n",
    },
    405: {
        method: line(f"{method} {target} HTTP/1.1")
        for method, target in [("PUT", "/"), ("DELETE", "/api/v1/events/7"),
                               ("PATCH", "/"), ("TRACE", "/"), ("OPTIONS", "*"),
                               ("CONNECT", "localhost:80"), ("POST", "/api/v1/status")]
    },
    411: {"no length": FEEDBACK + JSON + "\r\n",
          "length 0": FEEDBACK + JSON + "Content-Length: 0\r\n\r\n",
          "chunks": FEEDBACK + JSON + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
    413: {"1025": FEEDBACK + JSON + "Content-Length: 1025\r\n\r\n" + "x" * 1025,
          "2^63": FEEDBACK + JSON + "Content-Length: 9223372036854775808\r\n\r\n",
          "many digits": FEEDBACK + JSON + "Content-Length: " + "9" * 400 + "\r\n\r\n"},
    414: {"8 kB": line("GET /" + "a" * 8000 + " HTTP/1.1"),
          "100 kB": line("GET /" + "a" * 100000 + " HTTP/1.1"),
          "query": line("GET /api/v1/history?metric=" + "b" * 9000 + " HTTP/1.1"),
          "without an end": "GET /" + "a" * 9000,
          "method": "G" * 20000},
    415: {"form": FEEDBACK + "Content-Type: application/x-www-form-urlencoded\r\n" + SIZE
                  + "\r\n" + BODY,
          "none": FEEDBACK + SIZE + "\r\n" + BODY,
          "longer": FEEDBACK + "Content-Type: application/jsonp\r\n" + SIZE + "\r\n"
                    + BODY},
    417: {"expectation": FEEDBACK + JSON + SIZE + "Expect: wonders\r\n\r\n"},
    431: {"17 kB": field("Cookie: " + "c" * 17000),
          "100 kB": field("Cookie: " + "c" * 100000),
          "101 fields": GET + HOST + "X: y\r\n" * 101 + "\r\n",
          "without an end": GET + HOST + "X: y\r\n" * 4000},
    501: {"FOO": line("FOO / HTTP/1.1"), "get": line("get / HTTP/1.1"),
          "PRI": "PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n",
          "300 letters": line("A" * 300 + " / HTTP/1.1"),
          "signs": line("!#$%&'*+-.^_`|~ / HTTP/1.1")},
}


@pytest.mark.parametrize("status, text", [
    pytest.param(status, text, id=f"{status} {name}")
    for status, cases in REFUSED.items() for name, text in cases.items()])
def test_bad_requests_are_answered(driver, status, text):
    """One answer with the reason, no second one for what was hidden behind it."""
    start = time.monotonic()
    answer = talk(driver, text)
    assert statuses(answer) == [status], answer
    assert time.monotonic() - start < 1
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"\r\nconnection: close" in head and b'"version"' not in body
    error = json.loads(body)["error"]
    assert error["code"] and error["message"]
    assert (b"\r\nallow: GET, HEAD\r\n" in head + b"\r\n") == (status == 405)
    assert driver.get("/healthz").status == 200


@pytest.mark.parametrize("name, text", REFUSED[400].items())
def test_bad_requests_that_come_byte_by_byte(driver, name, text):
    """The answer does not depend on how the bytes come."""
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    with socket.create_connection(("127.0.0.1", driver.port), timeout=3) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for i in range(min(len(data), 300)):
                s.sendall(data[i:i + 1])
            s.sendall(data[300:])
        except OSError:
            pass
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    assert statuses(answer) in ([400], []), answer
    assert answer or len(data) > 300


GOOD = {
    "1.0": ("GET /healthz HTTP/1.0\r\n" + HOST + "\r\n", 200),
    "close": (field("Connection: close"), 200),
    "close in a list": (field("Connection: foo , Close"), 200),
    "close in the second line": (field("Connection: x\r\nConnection: close"), 200),
    "empty value": (field("X:\r\nConnection: close"), 200),
    "spaces around": (field("Connection: \t close \t "), 200),
    "8 bit value": (field("X: \xe9\xff\r\nConnection: close"), 200),
    "odd but legal name": (field("!#$%&'*+-.^_`|~: a\r\nConnection: close"), 200),
    "length 0": (field("Content-Length: 0\r\nConnection: close"), 200),
    "escaped path": (line("GET /%68ealthz HTTP/1.1\r\nConnection: close"), 200),
    "100 fields": (GET + HOST + "X: y\r\n" * 98 + "Connection: close\r\n\r\n", 200),
    "16 kB of fields": (field("Cookie: " + "c" * 16000 + "\r\nConnection: close"), 200),
    "8000 bytes of address": (line("GET /" + "a" * 7999 + " HTTP/1.1\r\nConnection: "
                                   "close"), 200),
    "an upgrade that is not asked for": (field("Upgrade: foo\r\nConnection: close"), 200),
    "a POST": (FEEDBACK + JSON + SIZE + "Connection: close\r\n\r\n" + BODY, 200),
    "a type with a parameter": (FEEDBACK + "Content-Type: application/json; charset=utf-8"
                                "\r\n" + SIZE + "Connection: close\r\n\r\n" + BODY, 200),
    "a strange host": ("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
}


@pytest.mark.parametrize("text, status", GOOD.values(), ids=GOOD.keys())
def test_good_requests_are_not_refused(driver, text, status):
    assert statuses(talk(driver, text)) == [status]
    with socket.create_connection(("127.0.0.1", driver.port), timeout=3) as s:
        for i in range(0, len(text), 997):  # in pieces too
            s.sendall(text[i:i + 997].encode("latin-1"))
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    assert statuses(answer) == [status]


def test_a_body_that_waits_for_a_word(driver):
    head = FEEDBACK + JSON + SIZE + "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", driver.port), timeout=3) as s:
        s.sendall(head.encode())
        assert s.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(BODY.encode())
        assert statuses(s.recv(65536)) == [200]


def test_a_client_that_has_said_all_is_answered(driver):
    """Half-closed right after the request, as netcat does."""
    for path in ("/healthz", "/api/v1/events"):
        with socket.create_connection(("127.0.0.1", driver.port), timeout=3) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\n{HOST}\r\n".encode())
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        assert statuses(answer) == [200]


# ---- handshakes ----

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def handshake(path="/api/v1/live", upgrade="websocket", connection="Upgrade",
              version="13", key=KEY, http="1.1", extra=""):
    fields = {"Upgrade": upgrade, "Connection": connection,
              "Sec-WebSocket-Version": version, "Sec-WebSocket-Key": key}
    lines = "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None)
    return f"GET {path} HTTP/{http}\r\n{HOST}{lines}{extra}\r\n"


def test_the_handshake_of_the_standard(driver):
    with socket.create_connection(("127.0.0.1", driver.port), timeout=3) as s:
        s.sendall(handshake(connection="keep-alive, upgrade",
                            upgrade="WebSocket").encode())
        answer = s.recv(65536)
    assert statuses(answer) == [101]
    assert b"\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer


@pytest.mark.parametrize("change, status", [
    ({"version": "12"}, 426), ({"version": None}, 426), ({"version": "13, 8"}, 426),
    ({"key": None}, 400), ({"key": "short"}, 400), ({"key": KEY + "="}, 400),
    ({"key": KEY[:-1] + "A"}, 400), ({"key": "!" + KEY[1:]}, 400), ({"http": "1.0"}, 400),
    ({"upgrade": "h2c"}, 400), ({"upgrade": "websockets"}, 400), ({"path": "/"}, 404),
    ({"path": "/api/v1/live/"}, 404), ({"extra": "Content-Length: 5\r\n"}, 400),
    ({"extra": f"Sec-WebSocket-Key: {KEY}\r\n"}, 400),
    ({"extra": "Origin: http://evil.example\r\n"}, 403)])
def test_bad_handshakes_are_answered(driver, change, status):
    answer = talk(driver, handshake(**change))
    assert statuses(answer) == [status]
    assert (b"\r\nsec-websocket-version: 13\r\n" in answer) == (status == 426)


@pytest.mark.parametrize("upgrade, status", [
    (field("Connection: keep-alive, upgrade\r\nUpgrade: foo"), 400),
    (handshake(upgrade="h2c"), 400), (handshake(path="/"), 404),
    (handshake(version="7"), 426), (handshake(key="x"), 400)])
@pytest.mark.parametrize("before", [1, 3])
def test_an_upgrade_on_a_kept_connection(driver, upgrade, status, before):
    """libwebsockets 4.1.6 looked at the freed head of such a request (CVE-2025-11677)."""
    for _ in range(20):
        answer = talk(driver, field("X: y") * before + upgrade)
        assert statuses(answer) == [200] * before + [status]


# ---- frames ----

def frame(opcode, payload=b"", final=True, mask=True, bits=0, size=None):
    """A frame as it should be, or not; `size`: how its length is written."""
    n = len(payload)
    size = size if size is not None else 0 if n < 126 else 2 if n < 65536 else 8
    first = opcode | bits | (0x80 if final else 0)
    second = n if size == 0 else 126 if size == 2 else 127
    head = bytes([first, second | (0x80 if mask else 0)])
    head += {0: b"", 2: struct.pack(">H", n % 65536), 8: struct.pack(">Q", n)}[size]
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


FAULTS = {
    "unmasked text": (1002, frame(1, b'{"type": "x"}', mask=False)),
    "unmasked empty": (1002, frame(1, mask=False)),
    "unmasked ping": (1002, frame(9, mask=False)),
    "unmasked close": (1002, frame(8, struct.pack(">H", 1000), mask=False)),
    **{f"opcode {n}": (1002, frame(n, b"x")) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"reserved bit {n}": (1002, frame(1, b"x", bits=n)) for n in (0x10, 0x20, 0x40)},
    "a ping in pieces": (1002, frame(9, b"x", final=False)),
    "a long ping": (1002, frame(9, b"x" * 126)),
    "a long close": (1002, frame(8, b"\x03\xe8" + b"x" * 200)),
    "going on with nothing": (1002, frame(0, b"x")),
    "a text within a text": (1002, frame(1, b"x", final=False) + frame(1, b"y")),
    "length not the shortest, 2": (1002, frame(1, b"x", size=2)),
    "length not the shortest, 8": (1002, frame(1, b"x" * 200, size=8)),
    "length with its top bit": (1002, b"\x81\xff" + b"\xff" * 8 + b"abcd"),
    "close of one byte": (1002, frame(8, b"x")),
    **{f"close {n}": (1002, frame(8, struct.pack(">H", n)))
       for n in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)},
    "close with bad text": (1007, frame(8, b"\x03\xe8\xff")),
    "binary": (1003, frame(2, b"x")),
    "1025 bytes": (1009, frame(1, b"x" * 1025)),
    "70 kB": (1009, frame(1, b"x" * 70000)),
    "2^62 bytes": (1009, b"\x81\xff" + struct.pack(">Q", 2**62) + b"abcd"),
    "too long in pieces": (1009, frame(1, b"x" * 600, False) + frame(0, b"x" * 600)),
    "bad UTF-8": (1007, frame(1, b'{"type": "\xff"}')),
    "overlong UTF-8": (1007, frame(1, b'{"type": "\xc0\xaf"}')),
    "surrogate": (1007, frame(1, b'{"type": "\xed\xa0\x80"}')),
    "cut UTF-8": (1007, frame(1, b'{"type": "\xe2\x82')),
    "no JSON": (1007, frame(1, b"hello")),
    "close": (1000, frame(8, struct.pack(">H", 1000) + b"bye")),
    "close 3000": (3000, frame(8, struct.pack(">H", 3000))),
}


@pytest.mark.parametrize("code, bytes_", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("pieces", [1, 7])
def test_bad_frames_end_with_the_reason(driver, code, bytes_, pieces):
    with LiveClient(driver.port) as live:
        live.message()
        step = -(-len(bytes_) // pieces)
        try:
            for i in range(0, len(bytes_), step):
                live.socket.sendall(bytes_[i:i + step])
        except OSError:
            pass
        with pytest.raises(EOFError, match=f"closed with {code}"):
            live.until("never", 1000)
    assert driver.get("/healthz").status == 200


def test_pings_and_pieces_between_each_other(driver):
    with LiveClient(driver.port) as live:
        live.message()
        live.socket.sendall(frame(1, b'{"type": "proce', False) + frame(9, b"hello")
                            + frame(0, b'sses", "on"', False) + frame(10, b"?")
                            + frame(0, b": true}"))
        seen = set()
        while seen != {"pong", "processes"}:
            opcode, payload, _ = live.frame()
            if opcode == 10:
                assert payload == b"hello"
                seen.add("pong")
            elif b'"type":"processes"' in payload:
                seen.add("processes")

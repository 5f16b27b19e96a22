"""Mutated requests over real sockets: the same ones every time. What this found once is
in test_api.py by name; run it on a build with AddressSanitizer for the rest:

    VEDETTE_BUILD=build/asan pytest tests/system/test_api_mutated.py
"""

import os
import random
import socket

import pytest
from test_api import POST, SLOW_GET, Driver, wait

CONNECTIONS = int(os.environ.get("VEDETTE_MUTATIONS", "1200"))

HOST = "Host: 127.0.0.1\r\n"
SEEDS = [text.encode("latin-1") for text in (
    POST, SLOW_GET,
    f"GET / HTTP/1.1\r\n{HOST}Accept-Encoding: gzip\r\nIf-None-Match: \"a\"\r\n\r\n",
    f"GET /api/v1/live HTTP/1.1\r\n{HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    "\x81\x85\x01\x02\x03\x04hello\x89\x80aaaa\x01\x81aaaab\x80\x81aaaac",
    f"GET /api/v1/status HTTP/1.1\r\n{HOST}Connection: Upgrade, HTTP2-Settings\r\n"
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    f"HEAD /metrics HTTP/1.0\r\n{HOST}Accept: application/openmetrics-text\r\n\r\n"
    f"GET /healthz HTTP/1.1\r\n{HOST}Sec-Fetch-Site: none\r\n\r\n")]


def mutated(draw):
    text = bytearray(draw.choice(SEEDS))
    for _ in range(draw.randrange(6)):
        at = draw.randrange(len(text))
        kind = draw.randrange(5)
        if kind == 0:
            text[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            text[at:at] = draw.randbytes(draw.randrange(1, 9))
        elif kind == 2:
            del text[at:at + draw.randrange(1, 9)]
        elif kind == 3:
            text += draw.choice(SEEDS)
        else:
            text[at:at] = text[draw.randrange(len(text)):][:draw.randrange(1, 200)]
        text = text or bytearray(b"\n")
    return bytes(text)


@pytest.mark.tsan
def test_mutated_requests_do_no_harm():
    draw = random.Random(7)
    driver = Driver("--interval-ms", 50, "--store-delay-ms", 3)
    for i in range(CONNECTIONS):
        text = mutated(draw)
        cut = draw.randrange(len(text)) if draw.random() < 0.4 else len(text)
        listens = draw.random() < 0.5
        try:
            with socket.create_connection(("127.0.0.1", driver.port), timeout=0.02) as s:
                s.sendall(text[:cut])
                s.sendall(text[cut:])
                if listens:
                    s.recv(65536)
        except OSError:
            pass
        assert driver.process.poll() is None, (i, text, driver.process.stderr.read())

    def lives():
        try:
            return driver.get("/healthz").status == 200
        except OSError:
            return False

    wait(lives, 60)
    driver.stop()

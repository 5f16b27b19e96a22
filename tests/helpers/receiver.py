"""A receiver of webhooks that behaves as badly as it is told to, on a real socket."""
import gzip
import json
import re
import socket
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless_body(c):
    c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        c.sendall(b"10000\r\n" + b"A" * 65536 + b"\r\n")


def endless_head(c):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        c.sendall(b"X-A: " + b"A" * 8000 + b"\r\n")


def endless_100(c):
    while True:
        c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


BOMB = gzip.compress(bytes(8 << 20))


def gzip_bomb(c):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
              % len(BOMB) + BOMB)


def drip_body(c):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while True:
        c.sendall(b"x")
        time.sleep(0.2)


def drip_head(c):
    while True:
        c.sendall(b"H")
        time.sleep(0.2)


BEHAVIOURS = {
    "ok": lambda c: c.sendall(OK),
    "500": lambda c: c.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"),
    "reset": reset,
    "tls garbage": lambda c: c.sendall(b"\x16\x03\x03\xff\xff" + bytes(range(256)) * 300),
    "garbage": lambda c: c.sendall(bytes(range(256)) * 20),
    "hang": lambda c: time.sleep(60),
    "endless body": endless_body,
    "endless head": endless_head,
    "endless 100": endless_100,
    "drip body": drip_body,
    "drip head": drip_head,
    "gzip bomb": gzip_bomb,
    "redirect": lambda c: c.sendall(b"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\n"
                                    b"Content-Length: 0\r\n\r\n"),
    "length without a body": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n"
                                                 b"Content-Length: 99999999999\r\n\r\n"),
    "cut body": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc"),
}


class Receiver:
    """`behave` names what is done with each request: one of BEHAVIOURS, or a list of them,
    the last for ever."""

    def __init__(self, behave="ok", port=0, address="127.0.0.1"):
        self.behave = [behave] if isinstance(behave, str) else list(behave)
        self.log = []  # (id, change), as they came
        self.events = []
        self.requests = []  # first lines
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, port), family=family, backlog=50)
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?token=s3cret"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            with c:
                c.settimeout(30)
                while self.one(c):
                    pass
        except OSError:
            pass

    def one(self, c):
        data = b""
        while b"\r\n\r\n" not in data:
            more = c.recv(65536)
            if not more:
                return False
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        size = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(body) < size:
            body += c.recv(65536)
        notice = json.loads(body)
        behave = self.behave.pop(0) if len(self.behave) > 1 else self.behave[0]
        self.requests.append(head.split(b"\r\n")[0].decode())
        self.log.append((notice["event"]["id"], notice["change"]))
        self.events.append(notice["event"])
        BEHAVIOURS[behave](c)
        return behave == "ok"

    def close(self):
        # Closing alone does not wake the thread in accept.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.close()
        except OSError:
            pass

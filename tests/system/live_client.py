"""A WebSocket client small enough to misbehave on purpose: tests need one that sends bad
frames, stops reading, and shows what the handshake answered."""

import base64
import json
import os
import socket
import struct


class Refused(Exception):
    """The handshake was answered with something else than 101."""


class LiveClient:
    def __init__(self, port, path="/api/v1/live", host=None, origin=None, extra="",
                 timeout=10, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}",
                 "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        if origin:
            lines.append(f"Origin: {origin}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode())
        self.head = self._until(b"\r\n\r\n").decode()
        if not self.head.startswith("HTTP/1.1 101 "):
            self.socket.close()
            raise Refused(self.head.split("\r\n")[0])

    def _until(self, end):
        while end not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise Refused("closed without an answer: " + repr(self.buffer[:80]))
            self.buffer += piece
        head, self.buffer = self.buffer.split(end, 1)
        return head

    def _take(self, size):
        while len(self.buffer) < size:
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise EOFError("closed")
            self.buffer += piece
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def frame(self):
        """The next frame: (opcode, payload, extension bits)."""
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return first & 15, self._take(size), first & 0x70

    def message(self):
        """The next message as parsed JSON; pings are answered on the way."""
        text = b""
        while True:
            first = self._take(1)[0]
            self.buffer = bytes([first]) + self.buffer
            opcode, payload, extension = self.frame()
            assert extension == 0
            if opcode == 9:
                self.send(payload, opcode=10)
            elif opcode == 8:
                raise EOFError(f"closed with {struct.unpack('>H', payload[:2])[0]}")
            else:
                text += payload
                if first & 0x80:
                    return json.loads(text)

    def until(self, kind, limit=400):
        """The next message of that type."""
        for _ in range(limit):
            message = self.message()
            if message["type"] == kind:
                return message
        raise AssertionError(f"no {kind} among {limit} messages")

    def send(self, payload, opcode=1, final=True):
        if isinstance(payload, str):
            payload = payload.encode()
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([opcode | (0x80 if final else 0)])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.socket.sendall(head + mask + body)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

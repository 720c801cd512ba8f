"""Servers on this machine for the tests of delivery: mail, a chat, and one that never comes to an end."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

PASSWORD = "s3cr3t/pass@word"
PATIENCE = 20.0  # a server that should be given up ends by itself then, so that a test fails rather than hangs


class Inbox:
    """What a mail server was given: the envelope's recipients and the message of each."""

    def __init__(self, refuses: tuple[str, ...] = (), too_large: bool = False):
        self.mails: list[tuple[list[str], Any]] = []
        self.raw: list[bytes] = []
        self.logins = 0
        self.encrypted: list[bool] = []
        self.refuses, self.too_large = refuses, too_large

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuses:
            return "550 no such \u202euser here".encode().decode("ascii", "ignore")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.too_large:
            return "552 too big"
        self.encrypted.append(session.ssl is not None)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, message))
        self.raw.append(envelope.content)
        return "250 taken"

    def authenticator(self, server, session, envelope, mechanism, data):
        self.logins += 1
        right = (data.login, data.password) == (b"us/er", PASSWORD.encode())
        if right:
            return AuthResult(success=True)
        # Like a server that talks too much.
        return AuthResult(success=False, handled=False, message=f"535 wrong: {data.password.decode()}")


@contextmanager
def mail_server(inbox: Inbox, *, at_once: ssl.SSLContext | None = None, **options: Any):
    """A mail server on a free port of this machine; yields the port."""
    loop = asyncio.new_event_loop()

    def speak() -> SMTP:
        return SMTP(inbox, hostname="mail.test", loop=loop, data_size_limit=None, **options)

    server = loop.run_until_complete(loop.create_server(speak, "127.0.0.1", 0, ssl=at_once))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        server.close()
        loop.close()


@contextmanager
def talker(*lines: bytes, drip: bytes = b"", then_close: bool = False):
    """A server that says a line for each it hears (the first unasked), then a byte now and then, or nothing, for long.

    Yields its port and an event that is set when the other side hangs up.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    gone, stop = threading.Event(), threading.Event()

    def serve() -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            try:
                for number, line in enumerate(lines):
                    if number:
                        connection.recv(65536)
                    connection.sendall(line)
                end = time.monotonic() + PATIENCE
                connection.settimeout(0.05)
                while not then_close and not stop.is_set() and time.monotonic() < end:
                    if drip:
                        connection.sendall(drip)
                    try:
                        if connection.recv(65536) == b"":
                            gone.set()
                            return
                    except TimeoutError:
                        pass
            except OSError:
                gone.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], gone
    finally:
        stop.set()
        listening.close()
        thread.join(5)


@contextmanager
def web_server(code: int = 200, body: bytes = b"ok", location: str = "", context: ssl.SSLContext | None = None):
    """A web server on a free port; yields the port and what it was sent: (method, path, body)."""
    heard: list[tuple[str, str, bytes]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.append((self.command, self.path, sent))
            self.send_response(code)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the library calls it

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        server.server_close()

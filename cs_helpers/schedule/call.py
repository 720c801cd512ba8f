"""What all deliveries share: what is handed over, and a call that comes to an end.

Why every delivery has a thread of its own with an end: a time-out of a socket begins anew with each byte, so a server
that sends one now and then would hold the schedule for ever, and the look-up of a name has no time-out at all. The
thread that waits closes the connection when time is up, so that nothing is sent after it was called failed.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cs_helpers.schedule.letter import Kind, Record, one_line

TIMEOUT = "CS_HELPERS_DELIVERY_TIMEOUT"
LATER = "It stays to be sent."
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]+")

_SECONDS, _LONGEST_WAIT = 30.0, 3600.0
_WORDS = {"TimeoutError": "no answer in time", "SMTPServerDisconnected": "the server hung up"}


class NotDelivered(Exception):  # noqa: N818 - it names what happened
    """Why, in words without secrets; ``for_all`` where every other delivery of that kind would meet the same."""

    def __init__(self, words: str, for_all: bool = False):
        super().__init__(words)
        self.for_all = for_all


@dataclass(frozen=True)
class Parcel:
    """What is handed over: the run record, the folder of the run, and what of the environment a delivery needs."""

    record: Record
    folder: Path
    kind: Kind
    environment: Mapping[str, str] = field(repr=False)

    @property
    def report(self) -> Path:
        """The page; a failed run has none."""
        return self.folder / "report.html"

    @property
    def stem(self) -> str:
        """The series as the beginning of a file's name."""
        return safe_name(str(self.record["series"]))

    @property
    def day(self) -> str:
        """The as-of date, or else the day on which the run started."""
        as_of = str(self.record.get("as_of") or "")[:10]
        return as_of if re.fullmatch(r"\d{4}-\d\d-\d\d", as_of, re.ASCII) else str(self.record["started_at"])[:10]

    def place(self, file: str) -> str:
        """Where a file of the run is; never a path of this machine."""
        return one_line(f"{self.record['series']}/{self.record['run_id']}/{file} in the reports folder", 400)

    def kept(self) -> str:
        """Where the notebook of a failed run was kept; empty if it was not."""
        there = (self.folder / "notebook.ipynb").is_file()
        return f"See how far the notebook ran: {self.place('notebook.ipynb')}" if there else ""


class Call:
    """One delivery with an end: how far it got, and the connection to close when time is up."""

    def __init__(self, seconds: float):
        self.seconds, self.step, self.over = seconds, "starting", False
        self.connection: Any = None
        """Whatever holds the socket as ``sock``."""

    def at(self, step: str) -> None:
        """Says what comes next; what was given up goes no further."""
        if self.over:
            raise NotDelivered("given up")
        self.step = step

    def make(self, work: Callable[[], str]) -> str:
        """The result of ``work``, or NotDelivered when it has not ended in time; raises what ``work`` raises."""
        result: list[str | Exception] = []

        def run() -> None:
            try:
                result.append(work())
            except Exception as error:
                result.append(error)

        thread = threading.Thread(target=run, name="delivery", daemon=True)
        thread.start()
        try:
            thread.join(self.seconds)
            ended = result[:]  # only what stands before we hang up: an answer that we cut off may read as a whole one
        finally:
            self._hang_up()
        for each in ended:
            if isinstance(each, str):
                return each
            raise each
        perhaps = " It may have arrived all the same, and will come twice then." if "sending" in self.step else ""
        raise NotDelivered(
            f"No end within {self.seconds:g} s, while {self.step}.{perhaps} "
            f"Is the address right, and {TIMEOUT} long enough? {LATER}",
            for_all=True,
        )

    def _hang_up(self) -> None:
        self.over = True
        line = getattr(self.connection, "sock", None)
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads; a close alone would not
            with suppress(OSError):
                line.close()


def safe_name(text: str) -> str:
    """A text as part of a file's name: letters, digits and ``_.=-`` alone, so that it stays in its folder."""
    return re.sub(r"[^\w.=-]+", "-", text).strip(".-") or "report"


def seconds(environment: Mapping[str, str]) -> float:
    """How long one delivery may take. Raises NotDelivered where the variable holds no such number."""
    text = environment.get(TIMEOUT, "").strip()
    try:
        number = float(text) if text else _SECONDS
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST_WAIT:
        raise NotDelivered(f"{TIMEOUT} must be seconds between 0 and {_LONGEST_WAIT:.0f}, such as 30, not {text!r}.")
    return number


def trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Certificates are checked against the machine's authorities, or those of the file in SSL_CERT_FILE alone."""
    try:
        return ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE") or None)
    except OSError:
        raise NotDelivered("SSL_CERT_FILE names no file of certificates that can be read.", for_all=True) from None


def local(host: str) -> bool:
    """Whether a host is this very machine, so that nothing goes over a network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def why(error: BaseException) -> str:
    """A failure of a connection in words; never its text, since that may quote an address or what was to be sent."""
    name = type(error).__name__
    return one_line(_WORDS.get(name) or getattr(error, "strerror", None) or name)

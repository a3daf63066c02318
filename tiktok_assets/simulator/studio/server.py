"""Serving the simulated Studio on 127.0.0.1: in a thread for tests (``serve``), as a process for people (``run``)."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import uvicorn

from tiktok_assets.simulator.studio.accounts import demo_accounts
from tiktok_assets.simulator.studio.app import studio_app
from tiktok_assets.simulator.studio.world import StudioWorld

HOST = "127.0.0.1"
START_SECONDS = 10


class PortTaken(Exception):
    """Another program is listening there; the message says what to do."""


@contextlib.contextmanager
def serve(world: StudioWorld, port: int = 0) -> Iterator[str]:
    """Serves ``world`` until the block ends and yields its address, such as ``http://127.0.0.1:41733``.

    ``port`` 0 takes a free one. Raises PortTaken.
    """
    listener = _listen(port)
    server = uvicorn.Server(_config(world))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="simulated Studio", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            listener.close()
            raise RuntimeError(f"the simulated Studio did not start within {START_SECONDS} s")
        time.sleep(0.002)
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


def run(port: int = 8400) -> None:
    """Serves the demo accounts until Ctrl-C, after printing where, and how to log in. Raises PortTaken."""
    listener = _listen(port)
    world = StudioWorld(demo_accounts(datetime.now(UTC).date()))
    address = address_of(listener)
    print(f"A simulated TikTok Studio is listening on {address}/tiktokstudio/analytics. Ctrl-C ends it.")
    print("All data and these logins are invented:\n")
    for account in world.accounts.values():
        print(f"  {account.handle:10} password {account.password:22} TOTP secret {account.totp_secret}")
    print(f'\nFaults:  curl -d \'{{"faults": [{{"name": "captcha"}}]}}\' {address}/sim/control', flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(_config(world)).run(sockets=[listener])


def address_of(listener: socket.socket) -> str:
    """What to open in a browser."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def _config(world: StudioWorld) -> uvicorn.Config:
    return uvicorn.Config(
        studio_app(world), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # from now on a browser waits instead of being refused
    except OSError as error:
        listener.close()
        raise PortTaken(f"port {port} of {HOST} is taken; choose another one with --port, or 0 for any") from error
    return listener

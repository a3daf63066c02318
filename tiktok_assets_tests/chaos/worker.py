"""A process that has imported everything once and forks a child for each job: `tiktok-assets` without its start-up.

Run as ``python -m tiktok_assets_tests.chaos.worker``; answers one list of jobs after the other, which run at the same
time. It is not the tests' own process: there Polars has started threads, which a fork does not copy. Files are read
without the sandbox's own process (its tests are ``inbox/test_sandbox.py``), which would cost a second each time.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast
from unittest import mock

from tiktok_assets_tests.chaos.jobs import DROP, READ_ON, SAVE_SESSION, Ended, Job
from tiktok_assets_tests.chaos.moments import Kill, Seen, Watch

_PATIENCE = 300  # seconds; guards against hanging


class Worker:
    """The process, asked from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))},
        )
        weakref.finalize(self, _close, self._process)

    def run(self, jobs: Sequence[Job]) -> list[Ended]:
        """Run the jobs at the same time, and wait for all of them."""
        requests, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        pickle.dump(jobs, requests)
        requests.flush()
        return pickle.load(answers)

    def close(self) -> None:
        _close(self._process)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        cast("IO[bytes]", pipe).close()
    process.wait()


def main() -> None:
    """Answer until the other side closes."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _import_everything()
    while True:
        try:
            jobs: list[Job] = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(_run(jobs), answers)
        answers.flush()


def _import_everything() -> None:
    import pyarrow  # noqa: F401

    from tiktok_assets.cli.app import app  # noqa: F401
    from tiktok_assets.graph import build_definitions
    from tiktok_assets.inbox import archive, contents  # noqa: F401
    from tiktok_assets.pipeline import runs  # noqa: F401
    from tiktok_assets.settings import Settings
    from tiktok_assets.storage import history  # noqa: F401
    from tiktok_assets.studio import session  # noqa: F401

    def read_here(_: object, function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)

    mock.patch.object(contents, "read_within", read_here).start()
    build_definitions(Settings(data_dir=cast(Any, "/nowhere")))


def _run(jobs: Sequence[Job]) -> list[Ended]:
    with tempfile.TemporaryDirectory() as folder:
        children = {_start(job, Path(folder) / str(number)): number for number, job in enumerate(jobs)}
        codes, readers = {}, {number for number, job in enumerate(jobs) if job.command[0] == READ_ON}
        while children:
            pid, status = os.wait()
            codes[children.pop(pid)] = os.waitstatus_to_exitcode(status)
            if readers.issuperset(children.values()):
                for reader in jobs if children else ():
                    (reader.home / "stop").touch()
        return [_ended(codes[number], Path(folder) / str(number)) for number in range(len(jobs))]


def _ended(code: int, notes: Path) -> Ended:
    seen = notes.with_suffix(".seen")
    return Ended(
        code=code,
        output=notes.with_suffix(".txt").read_text(),
        seen=pickle.loads(seen.read_bytes()) if seen.exists() else Seen(),
    )


def _start(job: Job, notes: Path) -> int:
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        with notes.with_suffix(".txt").open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        if not (isinstance(job.planned, Kill) and job.planned.kind == "any time"):
            signal.alarm(_PATIENCE)
        os.chdir(job.home)
        os.environ.update(job.environment)
        watch = Watch(job.home / "data", job.planned)
        code = _work(job)
        notes.with_suffix(".seen").write_bytes(pickle.dumps(watch.seen))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(job: Job) -> int:
    if job.command[0] == SAVE_SESSION:
        return _save_session(job.command[1])
    if job.command[0] == READ_ON:
        return _read_on(job)
    if job.command[0] == DROP:
        return _drop(job)
    from tiktok_assets.cli import app

    sys.argv = ["tiktok-assets", *job.command]
    try:
        app.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _save_session(account: str) -> int:
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.faults import sentence_of
    from tiktok_assets.studio.session import Sessions

    cookies = [{"name": "sessionid", "value": "x" * 200_000, "expires": time.time() + 10**6}]
    try:
        Sessions.of(load_settings()).save(account, {"cookies": cookies})
    except OSError as error:  # as the root of all commands does
        print(sentence_of(error))
        return 1
    return 0


def _read_on(job: Job) -> int:
    """Each line of the output is one reading: the rows of every query, on one connection."""
    import duckdb

    published = job.home / "data" / "warehouse" / "tiktok.duckdb"
    while not (job.home / "stop").exists():
        if published.exists():
            with duckdb.connect(published, read_only=True) as connection:
                print(json.dumps([connection.execute(query).fetchall() for query in job.command[1:]]), flush=True)
        time.sleep(0.1)
    return 0


def _drop(job: Job) -> int:
    waiting, landing = job.home / job.command[1], job.home / "data" / "landing"
    for path in sorted(path for path in waiting.rglob("*") if path.is_file()):
        time.sleep(0.2)
        target = landing / path.relative_to(waiting)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return 0


if __name__ == "__main__":
    main()

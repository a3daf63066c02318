"""The ledger of exports: when the next one may be made, and where a visit that was cut short has to go on.

SQLite in ``data/state``, so it holds across processes and restarts. A reservation is written before the click: a crash
still counts. Belongs here: accounts, moments, links and file names. Does not belong here: browsers, bytes, Dagster.

The interval of an account counts from its last click, not from the beginning of the visit: the four sections of one
visit count as one export, and none of them is asked for twice within the interval.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiktok_assets.exports.windows import LandedWindow, Window
from tiktok_assets.failures import LimitReached
from tiktok_assets.storage.locks import Locks, LockTaken
from tiktok_assets.studio.ledger_file import transaction

# Visits at once, of all accounts: a browser takes a core and 100 MB, and more of them gain nothing on two cores.
_VISITS_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The right to ask for one export of each section of an account."""

    id: int
    account: str
    reserved_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One export on its way: asked for at ``asked_at``, its link and file once they are known.

    ``file`` is a name in the account's landing folder, written down before the file gets it.
    """

    id: int
    account: str
    section: str
    window: Window
    state: str
    asked_at: dt.datetime
    attempts: int
    link: str | None
    file: str | None
    export_id: str | None


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The limits of all accounts, kept at ``path``. Times are seconds; every ``now`` is aware."""

    path: Path
    export_interval: float
    account_spacing: float
    link_life: float = 3600.0

    @contextlib.contextmanager
    def visiting(self, account: str, now: dt.datetime) -> Iterator[None]:
        """Nobody else visits for ``account`` while the block lasts, and at most one for another one. Raises
        LimitReached where somebody does.

        The operating system gives the locks back when a process dies, however it dies.
        """
        places = [f"visit-{number}" for number in range(1, _VISITS_AT_ONCE + 1)]
        with contextlib.ExitStack() as stack:
            for candidates, who in (([f"visit-of-{account}"], "for this account"), (places, "for two other accounts")):
                if not any(self._locked(stack, name) for name in candidates):
                    retry_at = now + dt.timedelta(seconds=max(self.account_spacing, 60))  # longer than a visit takes
                    raise LimitReached(
                        f"{account}: another process is visiting Studio {who} right now. "
                        f"Try again once it has finished, at {_shown(retry_at)}.",
                        retry_at,
                    )
            yield

    def _locked(self, stack: contextlib.ExitStack, name: str) -> bool:
        """Whether ``stack`` holds the lock of that name now."""
        try:
            stack.enter_context(Locks(self.path.parent / "locks").hold(name, wait=False))
        except LockTaken:
            return False
        return True

    def check(self, account: str, now: dt.datetime) -> None:
        """Raises LimitReached where ``reserve`` would; nothing is written."""
        with transaction(self.path) as ledger:
            self._refuse_too_early(ledger, account, now)

    def reserve(self, account: str, now: dt.datetime) -> Reservation:
        """The next visit of ``account``, written down. Raises LimitReached with the moment it may be made."""
        with transaction(self.path) as ledger:
            self._refuse_too_early(ledger, account, now)
            moment = now.timestamp()
            ledger.execute("update visits set is_open = 0 where account = ?", (account,))
            row = ledger.execute(
                "insert into visits (account, reserved_at, last_click) values (?, ?, ?) returning id",
                (account, moment, moment),
            ).fetchone()
            return Reservation(id=row[0], account=account, reserved_at=now)

    def unfinished(self, account: str, now: dt.datetime) -> Reservation | None:
        """The reservation of a visit that was cut short less than an interval ago: it may go on with what it has
        not asked for. Call it inside ``visiting``, which tells that nobody else is using it."""
        with transaction(self.path) as ledger:
            row = ledger.execute(
                "select id, reserved_at from visits where account = ? and is_open order by id desc limit 1", (account,)
            ).fetchone()
        if row is None or not 0 <= now.timestamp() - row[1] < self.export_interval:
            return None
        return Reservation(id=row[0], account=account, reserved_at=_moment(row[1]))

    def finish(self, reservation: Reservation) -> None:
        """The visit got what it came for; what it did not ask for waits for the next one."""
        with transaction(self.path) as ledger:
            ledger.execute("update visits set is_open = 0 where id = ?", (reservation.id,))

    def ask(self, reservation: Reservation, section: str, window: Window, now: dt.datetime) -> Checkpoint:
        """Write down that ``section`` is being asked for; call it right before the click.

        Raises LimitReached where this visit has asked for it already: a click counts, whatever became of it. So does
        a visit that is over, which Studio's own refusal makes it.
        """
        with transaction(self.path) as ledger:
            moment = now.timestamp()
            is_open = ledger.execute("select is_open from visits where id = ?", (reservation.id,)).fetchone()[0]
            if not is_open:
                self._refuse_too_early(ledger, reservation.account, now)
            try:
                row = ledger.execute(
                    "insert into exports (visit, account, section, first, last, asked_at) values (?, ?, ?, ?, ?, ?) "
                    "returning *",
                    (reservation.id, reservation.account, section, *_texts(window), moment),
                ).fetchone()
            except sqlite3.IntegrityError as error:
                retry_at = self._earliest(ledger, reservation.account, now)
                raise LimitReached(
                    f"{reservation.account}: {section} was asked for in this visit already, and one export an account "
                    f"is made every {self.export_interval:g} s. {window} may be asked for at {_shown(retry_at)}.",
                    retry_at,
                ) from error
            ledger.execute("update visits set last_click = max(last_click, ?) where id = ?", (moment, reservation.id))
            return _checkpoint(row)

    def refused(self, account: str, until: dt.datetime) -> None:
        """Studio itself said no; nobody asks again for ``account`` before ``until``, not in an open visit either."""
        with transaction(self.path) as ledger:
            ledger.execute("update visits set is_open = 0 where account = ?", (account,))
            ledger.execute("insert or replace into refusals values (?, ?)", (account, until.timestamp()))

    def keep_link(self, checkpoint: Checkpoint, link: str | None) -> None:
        """Where the file of this export can be fetched, also after a crash; None once the link is dead."""
        self._set(checkpoint, link=link)

    def tried(self, checkpoint: Checkpoint) -> int:
        """One more attempt to fetch the file: how many there have been."""
        with transaction(self.path) as ledger:
            sql = "update exports set attempts = attempts + 1 where id = ? returning attempts"
            return ledger.execute(sql, (checkpoint.id,)).fetchone()[0]

    def landing(self, checkpoint: Checkpoint, file: str, export_id: str) -> None:
        """The file is whole and will get this name; call it before it does, then ``landed``."""
        self._set(checkpoint, file=file, export_id=export_id)

    def landed(self, checkpoint: Checkpoint) -> None:
        """The file has its name in landing."""
        self._set(checkpoint, state="landed")

    def on_its_way(self, account: str, now: dt.datetime) -> list[Checkpoint]:
        """Exports that can still be landed without asking again: their link lives, or their file was being named."""
        with transaction(self.path) as ledger:
            rows = ledger.execute(
                "select * from exports where account = ? and state = 'reserved' "
                "and (file is not null or (link is not null and asked_at > ?)) order by id",
                (account, now.timestamp() - self.link_life),
            )
            return [_checkpoint(row) for row in rows]

    def landed_windows(self, account: str, section: str) -> list[LandedWindow]:
        """What lies in landing because we asked for it, oldest first."""
        with transaction(self.path) as ledger:
            rows = ledger.execute(
                "select * from exports where account = ? and section = ? and state = 'landed' order by id",
                (account, section),
            )
            found = [_checkpoint(row) for row in rows]
        return [LandedWindow(window=one.window, asked_at=one.asked_at) for one in found]

    def _refuse_too_early(self, ledger: sqlite3.Connection, account: str, now: dt.datetime) -> None:
        retry_at = self._earliest(ledger, account, now)
        if retry_at > now:
            raise LimitReached(
                f"{account}: no export may be made now; one visit an account every {self.export_interval:g} s, and "
                f"{self.account_spacing:g} s between accounts (TIKTOK_EXPORT_INTERVAL, TIKTOK_ACCOUNT_SPACING). "
                f"It may be tried again at {_shown(retry_at)}.",
                retry_at,
            )

    def _earliest(self, ledger: sqlite3.Connection, account: str, now: dt.datetime) -> dt.datetime:
        """When ``account`` may be visited next; ``now`` where nothing stands against it."""
        mine, others, refused = ledger.execute(
            "select (select max(last_click) from visits where account = ?), "
            "(select max(last_click) from visits where account <> ?), (select until from refusals where account = ?)",
            (account, account, account),
        ).fetchone()
        waits = [refused] if refused else []
        waits += [mine + self.export_interval] if mine is not None else []
        waits += [others + self.account_spacing] if others is not None else []
        return max([now, *(_moment(wait) for wait in waits)])

    def _set(self, checkpoint: Checkpoint, **values: str | None) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        with transaction(self.path) as ledger:
            ledger.execute(f"update exports set {columns} where id = ?", (*values.values(), checkpoint.id))


def _checkpoint(row: sqlite3.Row) -> Checkpoint:
    first, last = (dt.date.fromisoformat(row[name]) for name in ("first", "last"))
    kept = {name: row[name] for name in ("id", "account", "section", "state", "attempts", "link", "file", "export_id")}
    return Checkpoint(window=Window(first=first, last=last), asked_at=_moment(row["asked_at"]), **kept)


def _texts(window: Window) -> tuple[str, str]:
    return window.first.isoformat(), window.last.isoformat()


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _shown(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"

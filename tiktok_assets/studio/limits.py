"""The ledger of exports: when the next one may be made, and where an interrupted visit resumes.

Stored (``ledger_store``), so it holds across processes and restarts, and across machines that share it. A reservation
is written before the click, so that a crash still counts. Belongs here: accounts, times, links and file names. Does
not belong here: browsers, bytes, Dagster.

The interval of an account counts from its last click, not from the beginning of the visit: the four sections of one
visit count as one export, and none of them is requested twice within the interval. The pause between accounts is that
of an egress: Studio sees one address for each.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from tiktok_assets.exports.windows import LandedWindow, Window
from tiktok_assets.failures import LimitReached
from tiktok_assets.settings import DEFAULT_EGRESS, Settings
from tiktok_assets.storage.locks import Locks, LockTaken
from tiktok_assets.studio.ledger_store import LedgerStore, Row, Transaction, ledger_store_of

# Concurrent visits through one egress: a browser takes a core and 100 MB, and more of them gain nothing on two cores.
_VISITS_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The right to request one export of each section of an account."""

    id: int
    account: str
    reserved_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One pending export: requested at ``asked_at``, with its link and file once they are known.

    ``file`` is a name in the account's landing folder, recorded before the file gets it.
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
    """The limits of all accounts, kept in ``store``, as they apply to visits through ``egress``. Times are seconds;
    every ``now`` is timezone-aware."""

    store: LedgerStore
    export_interval: float
    account_spacing: float
    link_life: float = 3600.0
    egress: str = DEFAULT_EGRESS

    @classmethod
    def of(cls, settings: Settings) -> Ledger:
        """The limits of this installation."""
        return cls(
            store=ledger_store_of(settings),
            export_interval=settings.export_interval,
            account_spacing=settings.account_spacing,
            link_life=settings.link_life,
        )

    @contextlib.contextmanager
    def visiting(self, account: str, now: dt.datetime) -> Iterator[None]:
        """While the block lasts, no other process visits for ``account``, and at most one for another account of the
        egress. Raises LimitReached if that is not possible now.

        The locks are released when a process dies, however it dies.
        """
        places = [f"visit through {self.egress} {number}" for number in range(1, _VISITS_AT_ONCE + 1)]
        others = f"for two other accounts{self._through}"
        with contextlib.ExitStack() as stack:
            for candidates, who in (([f"visit-of-{account}"], "for this account"), (places, others)):
                if not any(_is_locked(stack, self.store.locks, name) for name in candidates):
                    retry_at = now + dt.timedelta(seconds=max(self.account_spacing, 60))  # longer than a visit takes
                    raise LimitReached(
                        f"{account}: another process is visiting Studio {who} right now. "
                        f"Try again once it has finished, at {_shown(retry_at)}.",
                        retry_at,
                    )
            yield

    def check(self, account: str, now: dt.datetime) -> None:
        """Raises LimitReached if ``reserve`` would; writes nothing."""
        with self.store.transaction() as ledger:
            self._refuse_too_early(ledger, account, now)

    def reserve(self, account: str, now: dt.datetime) -> Reservation:
        """Record the next visit of ``account``. Raises LimitReached with the time from which it is allowed."""
        with self.store.transaction() as ledger:
            self._refuse_too_early(ledger, account, now)
            moment = ledger.seconds(now)
            ledger.rows("update visits set is_open = 0 where account = ?", (account,))
            (row,) = ledger.rows(
                "insert into visits (account, egress, reserved_at, last_click) values (?, ?, ?, ?) returning id",
                (account, self.egress, moment, moment),
            )
            return Reservation(id=row["id"], account=account, reserved_at=now)

    def unfinished(self, account: str, now: dt.datetime) -> Reservation | None:
        """The reservation of a visit that was interrupted less than an interval ago: it may resume with what it has
        not requested. Call it inside ``visiting``, which ensures that no other process is using it."""
        with self.store.transaction() as ledger:
            row = ledger.row(
                "select id, reserved_at from visits where account = ? and is_open = 1 order by id desc limit 1",
                (account,),
            )
        if row is None or not 0 <= ledger.seconds(now) - row["reserved_at"] < self.export_interval:
            return None
        return Reservation(id=row["id"], account=account, reserved_at=ledger.moment(row["reserved_at"]))

    def finish(self, reservation: Reservation) -> None:
        """The visit is complete; what it did not request waits for the next one."""
        with self.store.transaction() as ledger:
            ledger.rows("update visits set is_open = 0 where id = ?", (reservation.id,))

    def ask(self, reservation: Reservation, section: str, window: Window, now: dt.datetime) -> Checkpoint:
        """Record that ``section`` is being requested; call it right before the click.

        Raises LimitReached if this visit has already requested it: a click counts, whatever its result. The same holds
        for a visit that has ended, for example because Studio itself refused.
        """
        with self.store.transaction() as ledger:
            moment = ledger.seconds(now)
            (visit,) = ledger.rows("select is_open from visits where id = ?", (reservation.id,))
            if not visit["is_open"]:
                self._refuse_too_early(ledger, reservation.account, now)
            row = ledger.row(
                "insert into exports (visit, account, section, first, last, asked_at) values (?, ?, ?, ?, ?, ?) "
                "on conflict (visit, section) do nothing returning *",
                (reservation.id, reservation.account, section, *_texts(window), moment),
            )
            if row is None:
                retry_at = self._earliest(ledger, reservation.account, now)
                raise LimitReached(
                    f"{reservation.account}: {section} was already requested in this visit, and an account gets one "
                    f"export every {self.export_interval:g} s. {window} may be requested at {_shown(retry_at)}.",
                    retry_at,
                )
            ledger.rows(
                "update visits set last_click = ? where id = ? and last_click < ?", (moment, reservation.id, moment)
            )
            return _checkpoint(ledger, row)

    def refused(self, account: str, until: dt.datetime) -> None:
        """Studio itself refused: nothing is requested for ``account`` before ``until``, not even in an open visit."""
        with self.store.transaction() as ledger:
            ledger.rows("update visits set is_open = 0 where account = ?", (account,))
            ledger.rows(
                "insert into refusals values (?, ?) on conflict (account) do update set until = excluded.until",
                (account, ledger.seconds(until)),
            )

    def keep_link(self, checkpoint: Checkpoint, link: str | None) -> None:
        """Record where the file of this export can be fetched, also after a crash; None once the link is dead."""
        self._set(checkpoint, link=link)

    def count_attempt(self, checkpoint: Checkpoint) -> int:
        """Count one more attempt to fetch the file. Returns how many there have been."""
        with self.store.transaction() as ledger:
            sql = "update exports set attempts = attempts + 1 where id = ? returning attempts"
            (row,) = ledger.rows(sql, (checkpoint.id,))
            return row["attempts"]

    def landing(self, checkpoint: Checkpoint, file: str, export_id: str) -> None:
        """Record that the file is complete and will get this name; call it before that, and ``landed`` after."""
        self._set(checkpoint, file=file, export_id=export_id)

    def landed(self, checkpoint: Checkpoint) -> None:
        """Record that the file has its name in landing."""
        self._set(checkpoint, state="landed")

    def pending(self, account: str, now: dt.datetime) -> list[Checkpoint]:
        """Exports that can still be landed without a new request: with a live link, or a file that was being named."""
        with self.store.transaction() as ledger:
            rows = ledger.rows(
                "select * from exports where account = ? and state = 'reserved' "
                "and (file is not null or (link is not null and asked_at > ?)) order by id",
                (account, ledger.seconds(now) - self.link_life),
            )
            return [_checkpoint(ledger, row) for row in rows]

    def landed_windows(self, account: str, section: str) -> list[LandedWindow]:
        """What is in landing because we requested it, oldest first."""
        with self.store.transaction() as ledger:
            rows = ledger.rows(
                "select * from exports where account = ? and section = ? and state = 'landed' order by id",
                (account, section),
            )
            found = [_checkpoint(ledger, row) for row in rows]
        return [LandedWindow(window=one.window, asked_at=one.asked_at) for one in found]

    def _refuse_too_early(self, ledger: Transaction, account: str, now: dt.datetime) -> None:
        retry_at = self._earliest(ledger, account, now)
        if retry_at > now:
            raise LimitReached(
                f"{account}: no export is allowed now; one visit per account every {self.export_interval:g} s, and "
                f"{self.account_spacing:g} s between accounts{self._through} (TIKTOK_EXPORT_INTERVAL, "
                "TIKTOK_ACCOUNT_SPACING). "
                f"It may be tried again at {_shown(retry_at)}.",
                retry_at,
            )

    def _earliest(self, ledger: Transaction, account: str, now: dt.datetime) -> dt.datetime:
        """When ``account`` may be visited next; ``now`` if no limit applies."""
        (last,) = ledger.rows(
            "select (select max(last_click) from visits where account = ?) as mine, "
            "(select max(last_click) from visits where account <> ? and egress = ?) as others, "
            "(select until from refusals where account = ?) as refused",
            (account, account, self.egress, account),
        )
        waits = {"mine": self.export_interval, "others": self.account_spacing, "refused": 0.0}
        allowed = [last[name] + wait for name, wait in waits.items() if last[name] is not None]
        return max([now, *map(ledger.moment, allowed)])

    @property
    def _through(self) -> str:
        """The egress in a message; nothing where an installation names none."""
        return "" if self.egress == DEFAULT_EGRESS else f" through {self.egress}"

    def _set(self, checkpoint: Checkpoint, **values: str | None) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        with self.store.transaction() as ledger:
            ledger.rows(f"update exports set {columns} where id = ?", (*values.values(), checkpoint.id))


def _is_locked(stack: contextlib.ExitStack, locks: Locks, name: str) -> bool:
    """Try to take the lock of that name; whether ``stack`` now holds it."""
    try:
        stack.enter_context(locks.hold(name, wait=False))
    except LockTaken:
        return False
    return True


def _checkpoint(ledger: Transaction, row: Row) -> Checkpoint:
    first, last = (dt.date.fromisoformat(row[name]) for name in ("first", "last"))
    kept = {name: row[name] for name in ("id", "account", "section", "state", "attempts", "link", "file", "export_id")}
    return Checkpoint(window=Window(first=first, last=last), asked_at=ledger.moment(row["asked_at"]), **kept)


def _texts(window: Window) -> tuple[str, str]:
    return window.first.isoformat(), window.last.isoformat()


def _shown(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"

"""The exports of the simulated Studio: what may be requested, what is made of it, and how its file is served.

Pure state with clocks; the bytes are those of ``studio_export``, altered by the faults that fire. HTTP is ``app``.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, get_args

from tiktok_assets.simulator.exports import (
    SECTIONS,
    FileFormat,
    GeneratedExport,
    Quirks,
    Section,
    available_until,
    studio_export,
    usual_quirks,
)
from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.studio.faults import Fault, FaultQueue

PRESETS = (7, 28, 60, 365)
EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
NOT_A_FILE = b"<!doctype html><html><body><h1>Something went wrong</h1></body></html>"


class Refused(Exception):
    """Studio refuses the export; ``reason`` is limit, too_many, too_long or invalid, and ``status`` that of HTTP."""

    def __init__(self, reason: str, *, status: int = 200, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


@dataclass(kw_only=True)
class StudioExport:
    """One export that was made. ``ready_at`` is by the waiting clock (seconds), everything else by the world's."""

    id: str
    handle: str
    section: Section
    file_format: FileFormat
    first: date
    last: date
    requested_at: datetime
    expires_at: datetime
    ready_at: float
    generated: GeneratedExport
    name: str
    downloads: int = 0


class Delivery(NamedTuple):
    """One answer to a request for the file; a ``cut`` one ends after half of its body."""

    status: int
    body: bytes
    media_type: str
    name: str | None = None
    cut: bool = False


@dataclass(kw_only=True)
class ExportDesk:
    """Makes exports and serves them. The limits are those of the server: per account and section."""

    faults: FaultQueue
    now: Callable[[], datetime]
    wait_clock: Callable[[], float]
    token: Callable[[int], str]
    interval: timedelta
    link_life: timedelta
    max_days: int
    prepare_seconds: float
    made: list[StudioExport] = dataclasses.field(default_factory=list)
    _last: dict[tuple[str, Section], datetime] = dataclasses.field(default_factory=dict)

    def last_label(self, account: StudioAccount, quirks: Quirks | None = None) -> date:
        """The last day the page offers: the last with data, moved as the labels of the exports are."""
        quirks = quirks or self._quirks(account)
        return min(available_until(self.now()), account.truth.last_day) + timedelta(days=quirks.label_shift)

    def request(
        self, account: StudioAccount, section: Section, file_format: FileFormat, picked: Mapping[str, Any]
    ) -> StudioExport:
        """Makes the export of a range as the page sends it: ``{"type": "fixed", "pastDay": 28}`` or startDate, endDate.

        Raises Refused; a refused request does not count for the limit.
        """
        place = (account.handle, section)
        if fault := self.faults.take("http_429", *place):
            raise Refused("too_many", status=429, retry_after=int(fault.number(3600)))
        if self.faults.take("limit_message", *place) or self._is_too_soon(*place):
            raise Refused("limit")
        self._window(picked, self.last_label(account))  # a refused request uses up no other fault
        export = self._make(account, section, file_format, picked)
        if self.faults.take("never_ready", *place):
            export.ready_at = math.inf
        elif fault := self.faults.take("slow_export", *place):
            export.ready_at = self.wait_clock() + fault.number(2)
        self._last[account.handle, section] = export.requested_at
        self.made.append(export)
        return export

    def find(self, export_id: str) -> StudioExport | None:
        """The export of that id."""
        return next((export for export in self.made if export.id == export_id), None)

    def is_ready(self, export: StudioExport) -> bool:
        """Whether its file is prepared."""
        return self.wait_clock() >= export.ready_at

    def hand_out(self, export: StudioExport) -> Delivery:
        """The answer to one request for the file, which needs no session: the link is enough while it is valid."""
        export.downloads += 1
        faults = self.faults.take_any("transfer", export.handle, export.section)
        if "link_expired" in faults:
            export.expires_at = self.now()
        if self.now() >= export.expires_at:
            return Delivery(403, EXPIRED, "application/xml")
        body = export.generated.content
        if "html" in faults:
            return Delivery(200, NOT_A_FILE, "text/html", export.name)
        if "empty_body" in faults:
            body = b""
        if "truncated" in faults:
            body = body[: len(body) // 2]
        if "corrupt" in faults:
            body = _with_changed_bytes(body, export.generated)
        cut = "reset_once" in faults or "reset_always" in faults
        return Delivery(200, body, "application/zip", export.name, cut)

    def forget_limits(self) -> None:
        """The next export of every section is allowed at once."""
        self._last.clear()

    def _is_too_soon(self, handle: str, section: Section) -> bool:
        last = self._last.get((handle, section))
        return last is not None and self.now() - last < self.interval

    def _quirks(self, account: StudioAccount) -> Quirks:
        return account.quirks if account.quirks is not None else usual_quirks(account.truth, self.now())

    def _window(self, picked: Mapping[str, Any], last_label: date) -> tuple[date, date]:
        try:
            if picked["type"] == "fixed":
                first, last = last_label - timedelta(days=int(picked["pastDay"]) - 1), last_label
            else:
                first, last = (date.fromisoformat(picked[name]) for name in ("startDate", "endDate"))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Refused("invalid") from error
        if last < first:
            raise Refused("invalid")
        if (last - first).days + 1 > self.max_days:
            raise Refused("too_long")
        return first, last

    def _make(
        self, account: StudioAccount, section: Section, file_format: FileFormat, picked: Mapping[str, Any]
    ) -> StudioExport:
        faults = self.faults.take_any("file", account.handle, section)
        quirks = _with_faults(self._quirks(account), faults)
        first, last = self._window(picked, self.last_label(account, quirks))
        if "window_366" in faults:
            first = last - timedelta(days=365)
        now = self.now()
        made, written = section, "xlsx" if "xlsx" in faults else file_format
        if fault := faults.get("wrong_section"):
            made = _section(fault.text("content" if section != "content" else "overview"))

        def generate(what: Section) -> GeneratedExport:
            return studio_export(
                account.truth,
                what,
                first,
                last,
                downloaded_at=now,
                locale=account.locale,
                file_format=written,
                quirks=quirks,
            )

        generated = generate(made)
        return StudioExport(
            id=self.token(16),
            handle=account.handle,
            section=section,
            file_format=file_format,
            first=first,
            last=last,
            requested_at=now,
            expires_at=now + self.link_life,
            ready_at=self.wait_clock() + self.prepare_seconds,
            generated=generated,
            name=generated.name if made == section else generate(section).name,
        )


def _section(name: str) -> Section:
    section = next((section for section in get_args(Section) if section == name), None)
    if section is None:
        raise ValueError(f"no section is called {name!r}; there are {', '.join(SECTIONS)}")
    return section


def _with_faults(quirks: Quirks, faults: Mapping[str, Fault]) -> Quirks:
    changes: dict[str, Any] = {name: True for name in ("empty_section", "unescaped_quotes") if name in faults}
    if fault := faults.get("label_shift"):
        changes["label_shift"] = int(fault.number(1))
    if fault := faults.get("undefined_runs"):
        changes |= {"undefined_leading": int(fault.number(3)), "undefined_trailing": 1}
    return dataclasses.replace(quirks, **changes)


def _with_changed_bytes(body: bytes, generated: GeneratedExport) -> bytes:
    """Changes sixteen bytes in the middle of the largest member: the ZIP still opens, its checksum is wrong."""
    member = max(generated.members.values(), key=len)
    begin = body.index(member) + len(member) // 2
    changed = bytes(byte ^ 0x55 for byte in body[begin : begin + 16])
    return body[:begin] + changed + body[begin + len(changed) :]

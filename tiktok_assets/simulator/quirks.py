"""Every way a real Studio export departs from the plain one, as a switch, and the usual combination."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.files import CsvForm

DATA_APPEARS_AT = 15
"""UTC hour of day D + 1 from which exports contain day D; between 12 and 17 was measured."""


@dataclass(frozen=True, kw_only=True)
class Quirks(CsvForm):
    """Switches of one export; the defaults are a plain export. BOM, line ends and quotes are inherited.

    ``label_shift``: days every daily label is moved (+1: the row of UTC day D is labelled D + 1).
    ``viewers_offset``: days the labels of Viewers run ahead of Overview's (1 in 6 of 7 real accounts).
    ``difference``: the follower difference is to the previous day, or to the next (then the last row says 0).
    ``undefined_leading``: first rows without a value, in Viewers and FollowerHistory.
    ``undefined_trailing``: last rows without a value, in Viewers.
    ``zero_tail``: Activity contains its last date in full, zeros after the end of data; False: it ends a date earlier.
    ``activity_days``: dates in Activity (6..8 observed).
    ``thousands_commas``: ``12,345``. ``duplicate_name``: ``... (1).zip``, as a browser renames a second download.
    ``stamp``: the time of the ZIP entries; XLSX exports never carry one.
    ``extra_columns``: added to Overview; ``New followers`` contains the true number, any other name a small number.
    ``empty_section``: only headers.
    """

    label_shift: int = 0
    viewers_offset: int = 0
    difference: Literal["previous", "next"] = "previous"
    undefined_leading: int = 0
    undefined_trailing: int = 0
    zero_tail: bool = True
    activity_days: int = 7
    thousands_commas: bool = False
    duplicate_name: bool = False
    stamp: Literal["download", "1980"] = "download"
    extra_columns: tuple[str, ...] = ()
    empty_section: bool = False


PLAIN = Quirks()


def usual_quirks(account: SimulatedAccount, downloaded_at: datetime) -> Quirks:
    """What real exports of such an account showed at such a moment.

    Labels move by the days the local date is ahead of the UTC date; Viewers run a day ahead; the difference means the
    next day when the last label is two days before the local date.
    """
    local = account.local_date(downloaded_at)
    shift = max(0, (local - downloaded_at.astimezone(UTC).date()).days)
    last_label = available_until(downloaded_at) + timedelta(days=shift)
    return Quirks(
        label_shift=shift,
        viewers_offset=1,
        difference="previous" if last_label >= local - timedelta(days=1) else "next",
    )


def available_until(downloaded_at: datetime) -> date:
    """The last UTC day that an export made at ``downloaded_at`` (aware) can contain."""
    if downloaded_at.tzinfo is None:
        raise ValueError(f"downloaded_at {downloaded_at} has no timezone; give it in UTC")
    moment = downloaded_at.astimezone(UTC)
    return moment.date() - timedelta(days=1 if moment.hour >= DATA_APPEARS_AT else 2)

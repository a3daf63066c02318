"""One download: which labels a file holds, which UTC day each stands for, how counts are written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.quirks import Quirks, available_until


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One download of one account: the window picked in Studio, hence in labels, and what shapes the files."""

    account: SimulatedAccount
    first: date
    last: date
    downloaded_at: datetime
    locale: str
    quirks: Quirks

    @cached_property
    def data_until(self) -> date:
        """The last UTC day with data: Studio does not have the next one yet, or the account's truth ends there."""
        return min(available_until(self.downloaded_at), self.account.last_day)

    def labelled_days(self, offset: int = 0) -> list[tuple[date, date]]:
        """(label, UTC day) of each row of a daily table, without days that have no data yet and without the gap."""
        if self.quirks.empty_section:
            return []
        shift = timedelta(days=self.quirks.label_shift + offset)
        stop = min(self.last, self.data_until + shift)
        labels = (date.fromordinal(day) for day in range(self.first.toordinal(), stop.toordinal() + 1))
        return [(label, label - shift) for label in labels if self.account.has_rows_on(label - shift)]

    @property
    def number(self) -> Callable[[int], str]:
        """Writes a count as the file does."""
        return "{:,}".format if self.quirks.thousands_commas else str

    @property
    def shows_audience(self) -> bool:
        """Whether Activity, Gender and Territories have rows."""
        return not self.quirks.empty_section and self.account.shows_audience(self.data_until)

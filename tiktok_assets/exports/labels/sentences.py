"""Evidence in words, for the person who asks why a day was moved. Belongs here: wording only."""

from __future__ import annotations

from collections.abc import Iterable

from tiktok_assets.exports.labels.files import METRICS, DailyFile
from tiktok_assets.exports.labels.matches import Match
from tiktok_assets.exports.labels.uploads import FirstViews
from tiktok_assets.exports.labels.viewers import Fit


def days(count: int) -> str:
    """ "1 day", "-2 days" """
    return f"{count} day{'' if abs(count) == 1 else 's'}"


def later(count: int) -> str:
    """Where labels are compared with others."""
    return f"{days(abs(count))} {'later' if count > 0 else 'earlier'}" if count else "on the same days"


def of_match(match: Match, other: DailyFile, moved: int) -> str:
    metrics = len(METRICS[other.report])
    on = "24 hours" if other.report == "follower_activity" else f"{metrics} metric{'s' if metrics > 1 else ''}"
    return f"{match.equal} of {match.common} days equal on {on} with {other.name}, labelled here {later(moved)}"


def of_fit(found: Fit, other: DailyFile, moved: int) -> str:
    return (
        f"views and viewers agree with {other.name} on {found.common} days, {found.times_clearer:.1f} times "
        f"clearer than at any other shift, labelled here {later(moved)}"
    )


def of_first_views(found: FirstViews, labelled: int) -> str:
    conclusive = found.videos + found.against
    when = f"{later(labelled)} than" if labelled else "on the day of"
    return f"by its labels, views leap {when} the posting of {found.videos} of {conclusive} conclusive videos"


def of_one_zip(other: DailyFile) -> str:
    return f"comes in one ZIP with {other.report}, so both are labelled alike"


def of_local_date(ahead: int) -> str:
    where = "ahead of" if ahead > 0 else "behind"
    return f"the account's own date was {days(abs(ahead))} {where} UTC at the download"


def of_choice(shifts: Iterable[int]) -> str:
    return (
        f"which day is the real one is not known: labels ahead by {' or '.join(map(str, sorted(shifts)))} are possible"
    )

"""Labels of generated accounts: whatever the windows, shifts, clocks and order, what the evidence decides is found.

The truth is the simulator's ``true_day``. Which shifts the evidence decides is said here by other means than alignment
uses: by the true days two files share, by what a file holds at its download, by how the account was made.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.labels import DailyFile, LocalDate, Upload, Verdict, align, contradictions
from tiktok_assets.exports.labels.agreement import FEWEST_DAYS, SETTLED
from tiktok_assets.exports.labels.files import METRICS
from tiktok_assets.exports.labels.matches import REACH
from tiktok_assets.simulator import reports
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.quirks import Quirks
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.simulator.visit import Visit
from tiktok_assets_tests.budget import examples

FIRST, LAST = dt.date(2025, 1, 1), dt.date(2025, 8, 31)
ACCOUNTS = 500
DAILY = {
    "overview": reports.overview,
    "viewers": reports.viewers,
    "follower_history": reports.follower_history,
    "follower_activity": reports.follower_activity,
}
BUSY = ("medium", "large")

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A generated account, its exports in any order, and by how many days the labels of each file are really ahead."""

    account: SimulatedAccount
    files: list[DailyFile]
    shifts: dict[Key, int]
    uploads: list[Upload]
    local_dates: list[LocalDate]

    @functools.cached_property
    def verdicts(self) -> dict[Key, Verdict]:
        found = align(self.files, uploads=self.uploads, local_dates=self.local_dates)
        return {(verdict.export_id, verdict.report): verdict for verdict in found}

    @property
    def is_busy(self) -> bool:
        """Whether no two days are alike."""
        return self.account.traits.size in BUSY and self.account.traits.posts_per_week >= 3


def make_case(seed: int) -> Case:
    """One to five visits, at any hour, with any shift, window, undefined runs, and some reports left out."""
    rng = random.Random(seed)
    traits = Traits(
        size=rng.choice(("small", "medium", "large")),
        utc_offset=rng.randrange(-11, 14),
        posts_per_week=rng.choice((0, 0.2, 0.5, 1, 3.5, 10)),
        scheduled_share=rng.choice((0, 0.1, 0.5)),
        born=FIRST + dt.timedelta(days=rng.randrange(20, 150)) if rng.random() < 0.25 else None,
    )
    account = SimulatedAccount.generate("north.pier", seed, FIRST, LAST, traits=traits)
    case = Case(account=account, files=[], shifts={}, uploads=[], local_dates=[])
    for number in range(rng.randrange(1, 6)):
        _visit(case, rng, number)
    rng.shuffle(case.files)
    rng.shuffle(case.uploads)
    return case


def _visit(case: Case, rng: random.Random, number: int) -> None:
    at = dt.datetime(2025, 3, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=rng.randrange(170 * 24 * 60))
    last = at.date() + dt.timedelta(days=1) if rng.random() < 0.7 else at.date() - dt.timedelta(rng.randrange(1, 40))
    quirks = Quirks(
        label_shift=rng.choice((-1, 0, 1)),
        viewers_offset=rng.choice((0, 1, 1)),
        undefined_leading=rng.choice((0, 0, 3)),
        undefined_trailing=rng.choice((0, 1, 2)),
        zero_tail=rng.random() < 0.8,
        activity_days=rng.choice((6, 7, 8)),
    )
    visit = Visit(
        account=case.account,
        first=last - dt.timedelta(days=rng.choice((7, 28, 31, 60, 102))),
        last=last,
        downloaded_at=at,
        locale="en",
        quirks=quirks,
    )
    for report in DAILY:
        if rng.random() < 0.75:
            section = "followers" if report.startswith("follower") else report
            _add(case, report, f"{number}{section}", visit)
    if rng.random() < 0.7:
        add_content(case, visit)


def _add(case: Case, report: str, export: str, visit: Visit) -> None:
    _, rows = DAILY[report](visit)
    if rows:
        frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(METRICS[report]).cast(pl.Int64))
        file = DailyFile(
            export_id=export,
            report=report,
            downloaded_at=visit.downloaded_at,
            downloaded_at_evidence="zip_stamp",
            rows=frame,
        )
        case.files.append(file)
        case.shifts[file.key] = (rows[0]["date_label"] - rows[0]["true_day"]).days


def add_content(case: Case, visit: Visit) -> None:
    _, rows = reports.content(visit)
    case.uploads.extend(
        Upload(
            video_id=row["video_id"],
            uploaded_at=row["published_at"],
            post_date=row["post_date"],
            total_views=row["total_views"],
        )
        for row in rows
    )
    case.local_dates.extend(LocalDate(visit.downloaded_at, row["date_label"]) for row in rows[:1])


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(seed) for seed in range(ACCOUNTS)]


def shared_days(case: Case, one: DailyFile, other: DailyFile) -> int:
    """Real days that both files have numbers of."""
    days = [{label - case.shifts[file.key] for label in file.days} for file in (one, other)]
    return len(days[0] & days[1])


def pairs(case: Case) -> Iterator[tuple[DailyFile, DailyFile]]:
    return itertools.combinations(case.files, 2)


def test_nothing_that_is_proven_or_likely_is_wrong(cases: list[Case]) -> None:
    counted = Counter()
    for case in cases:
        for key, verdict in case.verdicts.items():
            counted[verdict.confidence] += 1
            if verdict.confidence in ("proven", "likely"):
                assert verdict.shift_days == case.shifts[key], (case.account.seed, verdict)
    assert counted["proven"] > 500
    assert counted["likely"] > 500


def test_exports_of_one_account_never_contradict_each_other(cases: list[Case]) -> None:
    for case in cases:
        assert [str(found) for found in contradictions(case.files)] == [], case.account.seed


def test_exports_of_another_account_are_named_with_what_they_contradict(cases: list[Case]) -> None:
    """Put among those of an account as large: files that share enough settled days are named, and no others."""
    found = Counter()
    busy = [case for case in cases if case.is_busy and case.account.traits.born is None and case.files]
    for case, stranger in itertools.pairwise(busy):
        own = [dataclasses.replace(file, source=f"{file.report}_2025_{file.export_id}.csv") for file in case.files]
        foreign = stranger.files[0]
        put = dataclasses.replace(foreign, export_id="foreign", source="neutral name.csv")
        days = {label for label in put.days if label <= put.last_counted - SETTLED} if put.last_counted else set()
        shared = [len(days & set(file.days)) - SETTLED - REACH for file in own if file.report == put.report]
        named = contradictions([*own, put])
        for one in named:
            assert "neutral name.csv" in (one.file.source, one.other.source), case.account.seed
            assert one.differing > one.days / 2
        if put.report != "follower_activity" and max(shared, default=0) >= FEWEST_DAYS:
            found[bool(named)] += 1
    assert found[True] > 20, found
    assert found[False] == 0, found


def test_nothing_without_evidence_is_moved(cases: list[Case]) -> None:
    for case in cases:
        for verdict in case.verdicts.values():
            assert verdict.shift_days == 0 or verdict.evidence
            assert verdict.shift_days == 0 or verdict.confidence != "unproven"


def test_files_of_one_calendar_have_their_real_offsets(cases: list[Case]) -> None:
    """So no day is stored twice, even if the real day is unknown."""
    compared = 0
    for case in cases:
        for one, other in pairs(case):
            first, second = case.verdicts[one.key], case.verdicts[other.key]
            if first.calendar == second.calendar:
                found = second.shift_days - first.shift_days
                assert found == case.shifts[other.key] - case.shifts[one.key], (case.account.seed, first, second)
                compared += 1
    assert compared > 1500


def test_files_that_share_days_of_a_busy_account_are_of_one_calendar(cases: list[Case]) -> None:
    compared = 0
    for case in filter(lambda case: case.is_busy and case.account.traits.born is None, cases):
        for one, other in pairs(case):
            if one.report == other.report and shared_days(case, one, other) >= 8:
                calendars = {case.verdicts[file.key].calendar for file in (one, other)}
                assert len(calendars) == 1, (case.account.seed, one.name, other.name)
                compared += 1
    assert compared > 150


def test_viewers_are_of_one_calendar_with_the_views_of_a_busy_account(cases: list[Case]) -> None:
    compared = 0
    for case in filter(lambda case: case.is_busy and case.account.traits.born is None, cases):
        for one, other in pairs(case):
            are_both = {one.report, other.report} == {"overview", "viewers"}
            if are_both and one.downloaded_at == other.downloaded_at and shared_days(case, one, other) >= 40:
                calendars = {case.verdicts[file.key].calendar for file in (one, other)}
                assert len(calendars) == 1, (case.account.seed, one.name, other.name)
                compared += 1
    assert compared > 50


def test_labels_of_days_that_had_not_ended_decide_for_all_files_that_share_days(cases: list[Case]) -> None:
    decided = 0
    for case in cases:
        for file in case.files:
            last = max((label for label, numbers in file.days.items() if any(numbers)), default=0)
            if file.report in ("overview", "follower_history") and last >= file.downloaded_at.toordinal():
                calendar = case.verdicts[file.key].calendar
                for key, verdict in case.verdicts.items():
                    if verdict.calendar == calendar:
                        assert verdict.shift_days == case.shifts[key], (case.account.seed, verdict)
                        assert verdict.confidence in ("proven", "likely")
                        decided += 1
    assert decided > 300


def test_an_account_on_which_nothing_happens_is_never_moved() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        traits = Traits(posts_per_week=0, born=FIRST, utc_offset=rng.randrange(-11, 14))
        account = SimulatedAccount.generate("nobody", seed, FIRST, LAST, traits=traits)
        case = Case(account=account, files=[], shifts={}, uploads=[], local_dates=[])
        for number in range(4):
            _visit(case, rng, number)
        assert {verdict.shift_days for verdict in case.verdicts.values()} <= {0}


def test_videos_posted_one_at_a_time_prove_the_days_of_views_and_viewers() -> None:
    """One visit with an early window: there is no other evidence."""
    found = Counter()
    for seed in range(60):
        traits = Traits(size="large", posts_per_week=0.7, scheduled_share=0.1, utc_offset=seed % 12)
        account = SimulatedAccount.generate("rare.pier", seed, FIRST, LAST, traits=traits)
        case = Case(account=account, files=[], shifts={}, uploads=[], local_dates=[])
        at = dt.datetime(2025, 8, 20, 19, tzinfo=dt.UTC)
        visit = Visit(
            account=account,
            first=dt.date(2025, 1, 20),
            last=dt.date(2025, 8, 10),
            downloaded_at=at,
            locale="en",
            quirks=Quirks(label_shift=seed % 3 - 1, viewers_offset=1),
        )
        for report in ("overview", "viewers", "follower_activity"):
            _add(case, report, report, visit)
        add_content(case, visit)
        for key, verdict in case.verdicts.items():
            if verdict.confidence == "likely":
                assert verdict.shift_days == case.shifts[key], (seed, verdict)
                found[verdict.report, verdict.shift_days] += 1
    assert all(found["overview", shift] > 5 for shift in (-1, 0, 1))
    assert all(found["viewers", shift] > 5 for shift in (0, 1, 2))


@given(st.integers(10_000, 20_000), st.randoms(use_true_random=False))
@examples(40)
def test_the_order_of_exports_and_videos_changes_nothing(seed: int, rng: random.Random) -> None:
    case = make_case(seed)
    expected = align(case.files, uploads=case.uploads, local_dates=case.local_dates)
    for given_things in (case.files, case.uploads, case.local_dates):
        rng.shuffle(given_things)
    assert align(case.files, uploads=case.uploads, local_dates=case.local_dates) == expected


@given(st.integers(10_000, 20_000))
@examples(40)
def test_aligned_labels_need_no_further_alignment(seed: int) -> None:
    case = make_case(seed)
    aligned = []
    for file in case.files:
        back = pl.duration(days=case.verdicts[file.key].shift_days)
        aligned.append(dataclasses.replace(file, rows=file.rows.with_columns(pl.col("date_label") - back)))
    again = align(aligned, uploads=case.uploads, local_dates=case.local_dates)
    certain = [v for v in again if case.verdicts[v.export_id, v.report].confidence in ("proven", "likely")]
    assert {verdict.shift_days for verdict in certain} <= {0}


def test_one_more_export_costs_its_own_rows() -> None:
    """Each row is looked up once: counted, not timed."""
    account = SimulatedAccount.generate("north.pier", 1, FIRST, LAST, traits=Traits(posts_per_week=7))
    looked_up = []
    for exports in (5, 10, 20):
        case = Case(account=account, files=[], shifts={}, uploads=[], local_dates=[])
        for number in range(exports):
            at = dt.datetime(2025, 7, 1, 20, tzinfo=dt.UTC) + dt.timedelta(days=number)
            visit = Visit(
                account=account,
                first=dt.date(2025, 1, 20),
                last=at.date(),
                downloaded_at=at,
                locale="en",
                quirks=Quirks(),
            )
            _add(case, "overview", str(number), visit)
        ties = sum(line.count(" days equal") for v in case.verdicts.values() for line in v.evidence)
        looked_up.append(ties)
    assert looked_up == [2 * 4, 2 * 9, 2 * 19]  # each file is compared with the next one, and both say so

"""Who follows a simulated account: when they are online, their gender, where they live.

Every value is a pure function of (account's seed, day), so two exports agree.
The floats carry the noise of a program that subtracts (0.8099999999999999), as the real files do.
"""

from datetime import date
from random import Random

HOURLY = (25, 18, 13, 10, 9, 10, 12, 16, 20, 22, 24, 26, 29, 30, 32, 33, 32, 33, 34, 34, 35, 37, 35, 33)
"""Percent of followers online in each local hour; the shape of a real account with 3,300 followers."""

# fmt: off
_COUNTRIES = (
    "US", "GB", "DE", "BR", "ID", "JP", "KR", "FR", "ES", "IT",
    "MX", "VN", "TH", "RU", "TR", "GR", "PL", "AU", "SE", "NL",
)
# fmt: on


def active_followers(seed: str, followers: int, local_day: date) -> tuple[int, ...]:
    """Followers online in each of the 24 local hours of ``local_day``."""
    rng = Random(f"{seed}|activity|{local_day.toordinal()}")
    return tuple(int(followers * percent * (0.92 + 0.16 * rng.random()) / 100) for percent in HOURLY)


def gender_shares(seed: str, day: date) -> tuple[tuple[str, float], ...]:
    """(gender, share 0..1) in order of share; ``Male``, ``Female``, ``Other`` sum to 1. Moves by hundredths a month."""
    rng = Random(f"{seed}|gender")
    larger, smaller = rng.sample(("Male", "Female"), k=2)
    other = rng.randrange(0, 4)
    minority = rng.randrange(15, 47) + (day.year * 12 + day.month) % 3
    shares = ((larger, 1 - minority / 100 - other / 100), (smaller, minority / 100), ("Other", other / 100))
    return tuple(sorted(shares, key=lambda pair: -pair[1]))


def territory_shares(seed: str, day: date) -> tuple[tuple[str, float], ...]:
    """(territory, share 0..1): ten ISO 3166-1 alpha-2 codes in order of share, then ``Others``; they sum to 1."""
    rng = Random(f"{seed}|territories")
    codes = rng.sample(_COUNTRIES, k=10)
    drift = (day.year * 12 + day.month) % 5
    thousandths = [rng.randrange(250, 440) + drift]
    thousandths += [max(1, int(140 / (rank + 1) ** 0.8 * (0.9 + 0.2 * rng.random()))) for rank in range(1, 10)]
    named = [(code, part / 1000) for code, part in zip(codes, sorted(thousandths, reverse=True), strict=True)]
    others = 1.0
    for _, share in named:
        others -= share
    return (*named, ("Others", others))

"""One-time codes against the table of RFC 6238, appendix B (its eight digits end in our six)."""

from datetime import UTC, datetime, timedelta

import pytest

from tiktok_assets.simulator.studio import totp
from tiktok_assets.simulator.studio.totp import is_current

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of 12345678901234567890


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert totp(SECRET, datetime.fromtimestamp(second, UTC)) == code


def test_a_code_is_good_for_one_step_more_and_no_longer() -> None:
    shown_at = datetime.fromtimestamp(1_234_567_890, UTC)
    code = totp(SECRET, shown_at)
    assert is_current(code, SECRET, shown_at + timedelta(seconds=30))
    assert is_current(code, SECRET, shown_at - timedelta(seconds=30))
    assert not is_current(code, SECRET, shown_at + timedelta(seconds=90))
    assert not is_current("ονομα", SECRET, shown_at)

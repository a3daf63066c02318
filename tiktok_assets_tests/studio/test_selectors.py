"""The table of selectors, ours overridden by the user's; the months of a calendar in the languages of the interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiktok_assets.simulator.studio.texts import TEXTS
from tiktok_assets.studio.picker import month_of
from tiktok_assets.studio.selectors import InvalidSelectors, load_selectors


def test_the_users_own_table_wins_and_the_rest_stays(tmp_path: Path) -> None:
    own = tmp_path / "selectors.toml"
    own.write_text("[elements]\nday = '.cell'\n[texts.pt]\napply = 'Aplicar já'\n[texts.en]\ndownload = 'Export'\n")
    ours, theirs = load_selectors(tmp_path / "none"), load_selectors(own)
    assert (ours.css["day"], theirs.css["day"]) == (".days-wrapper .day.valid", ".cell")
    assert theirs.css["apply"] == ours.css["apply"]
    assert theirs.says("apply", "Aplicar já") and theirs.says("apply", "Apply")
    assert theirs.says("download", " export ") and not theirs.says("download", "Download")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[elements]\ndayz = '.cell'", r"\[elements\] has no 'dayz'. Valid names: .*day"),
        ("[element]\nday = '.cell'", "the top has no 'element'"),
        ("[elements]\nday = 3", "day is not a quoted string"),
        ("elements = 1", r"\[elements\] is not a table"),
        ("[texts.en]\napply = '('", "is not a regular expression"),
        ("day = ", "cannot be read"),
    ],
)
def test_an_invalid_table_names_the_line(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "selectors.toml"
    own.write_text(text)
    with pytest.raises(InvalidSelectors, match=says):
        load_selectors(own)


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_the_messages_of_every_language_are_distinguished(tmp_path: Path, language: str) -> None:
    selectors, texts = load_selectors(tmp_path / "none"), TEXTS[language]
    assert selectors.says("limit", texts.limit) and selectors.says("limit", texts.too_many)
    for other in (texts.went_wrong, texts.login_expired, texts.incomplete, texts.too_long.format(days=365)):
        assert not selectors.says("limit", other)
    assert selectors.says("login_expired", texts.login_expired)
    assert not selectors.says("download", texts.download_data)


@pytest.mark.parametrize(
    ("title", "language", "month"),
    [
        ("November", "en", 11),
        ("noviembre", "es", 11),
        ("Νοέμβριος", "el", 11),
        ("Νοεμβρίου", "el", 11),
        ("11月", "ja", 11),
        ("Tháng 11", "vi", 11),
        ("Tháng Mười Một", "vi", 11),
        ("Novembro", "pt-BR", 11),
        (" May ", "unheard-of", 5),
        ("soon", "en", None),
        ("", "en", None),
    ],
)
def test_the_month_of_a_calendar_is_read_in_its_language(title: str, language: str, month: int | None) -> None:
    assert month_of(title, language) == month

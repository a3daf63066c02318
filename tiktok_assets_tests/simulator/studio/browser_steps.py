"""The steps of a person at the simulator in a browser. Labels are written out here, not read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, totp
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO

FIRST, LAST = date(2025, 9, 28), date(2025, 11, 3)


@dataclass(frozen=True)
class Labels:
    """The labels in one language that lead to a file."""

    viewers: str
    last_days: str
    custom: str
    september: str
    november: str
    apply: str
    download_data: str
    dialog: str
    download: str
    first_row: str


LANGUAGES = {
    "en": Labels(
        "Viewers", "Last 7 days", "Custom", "September", "November", "Apply",
        "Download data", "Download Viewers data", "Download", "September 28",
    ),
    "es": Labels(
        "Espectadores", "Últimos 7 días", "Personalizado", "septiembre", "noviembre", "Aplicar",
        "Descargar datos", "Descargar datos de Espectadores", "Descargar", "28 de septiembre",
    ),
    "el": Labels(
        "Θεατές", "Τελευταίες 7 ημέρες", "Προσαρμογή", "Σεπτέμβριος", "Νοέμβριος", "Εφαρμογή",
        "Λήψη δεδομένων", "Λήψη δεδομένων: Θεατές", "Λήψη", "28 Σεπτεμβρίου",
    ),
    "ja": Labels(
        "視聴者", "過去7日間", "カスタム", "9月", "11月", "適用",
        "データをダウンロード", "視聴者のデータをダウンロード", "ダウンロード", "9月28日",
    ),
    "vi": Labels(
        "Người xem", "7 ngày qua", "Tùy chỉnh", "Tháng Chín", "Tháng Mười Một", "Áp dụng",
        "Tải dữ liệu xuống", "Tải dữ liệu Người xem xuống", "Tải xuống", "28 tháng Chín",
    ),
}  # fmt: skip


def log_in(page: Page, account: StudioAccount, world: StudioWorld) -> None:
    page.goto("/login/phone-or-email/email")
    page.locator("input[name=username]").fill(account.handle)
    page.locator("input[type=password]").fill(account.password)
    page.locator("button[type=submit]").click()
    page.locator("input[name=code]").fill(totp(account.totp_secret or "", world.now()))
    page.locator("button[type=submit]").click()
    page.wait_for_url(f"**{STUDIO}")


def pick_day(page: Page, month: str, year: str, day: int) -> None:
    calendar = page.locator(".calendar-wrapper")
    shown: list[str] = []
    for _ in range(12):
        shown = [calendar.locator(title).inner_text() for title in (".month-title", ".year-title")]
        if shown == [month, year]:
            break
        calendar.locator(".arrow").first.click()
    else:
        pytest.fail(f"no {month} {year} in a year of months; the last was {shown}")
    calendar.locator(".day.valid").get_by_text(str(day), exact=True).click()


def pick_range(page: Page, labels: Labels) -> None:
    page.get_by_role("button", name=labels.last_days).click()
    page.get_by_role("menuitem", name=labels.custom).click()
    dialog = page.get_by_role("dialog", name=labels.custom)
    fields = dialog.locator("input.TUXTextInputCore-input")
    assert [field.is_editable() for field in fields.all()] == [False, False]
    fields.nth(1).click()
    pick_day(page, labels.november, "2025", LAST.day)
    fields.nth(0).click()
    pick_day(page, labels.september, "2025", FIRST.day)
    assert [field.input_value() for field in fields.all()] == [FIRST.isoformat(), LAST.isoformat()]
    dialog.get_by_role("button", name=labels.apply).click()
    expect(dialog).to_be_hidden()


def download(page: Page, labels: Labels, folder: Path) -> Path:
    page.get_by_role("button", name=labels.download_data).click()
    dialog = page.get_by_role("dialog", name=labels.dialog)
    assert dialog.get_by_role("radio", name="XLSX").is_checked()
    dialog.locator("input[type=radio][value=CSV]").check()
    with page.expect_download() as started:
        dialog.get_by_role("button", name=labels.download, exact=True).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path

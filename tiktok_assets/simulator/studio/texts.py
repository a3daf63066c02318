"""What the simulated Studio says in each language (``texts.toml``); a language that lacks a text fails to load.

The files it serves know every language of Babel.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Texts:
    """One interface language."""

    months: list[str]
    overview: str
    content: str
    viewers: str
    followers: str
    last_days: str
    custom: str
    start_date: str
    end_date: str
    previous_month: str
    next_month: str
    apply: str
    cancel: str
    too_long: str
    incomplete: str
    download_data: str
    download_title: str
    file_format: str
    download: str
    preparing: str
    limit: str
    too_many: str
    went_wrong: str
    login_expired: str
    no_data: str
    news_title: str
    news: str
    got_it: str
    captcha: str
    login_title: str
    use_email: str
    use_qr: str
    username: str
    password: str
    log_in: str
    wrong_login: str
    qr_hint: str
    code: str
    next: str
    wrong_code: str
    video_views: str
    profile_views: str
    likes: str
    comments: str
    shares: str
    average_watch_time: str
    watched_full: str


TEXTS: Mapping[str, Texts] = {
    language: Texts(**texts)
    for language, texts in tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8")).items()
}


def language_of(locale: str) -> str:
    """The interface language of a locale (``en_GB``) or of an Accept-Language header; English when it is not spoken."""
    language = locale.replace("_", "-").split(",")[0].split("-")[0].strip().lower()
    return language if language in TEXTS else "en"

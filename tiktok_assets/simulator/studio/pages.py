"""The pages of the simulated Studio as HTML: analytics tabs, a video, login by password, code and QR.

Belongs here: what is on a page. Which page is shown is ``app``; what a click does is ``studio.js``.
"""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any
from urllib.parse import quote

from tiktok_assets.simulator.studio.exports import PRESETS
from tiktok_assets.simulator.studio.markup import Markup, boot, document, text

SCRIPTS = ("range.js", "studio.js")
TABS = ("overview", "content", "viewers", "followers")
STUDIO = "/tiktokstudio/analytics"
CHANGED = "⇩"
"""The label of every button whose text has changed too."""


def analytics(
    markup: Markup,
    tab: str,
    *,
    assets: str,
    user_id: str,
    last_label: date,
    today: date,
    max_export_days: int,
    changed: bool = False,
    overlay: str = "",
) -> str:
    """One tab; ``last_label`` is the last day that can be picked, ``changed`` replaces the texts of the buttons."""
    texts = markup.texts
    data: dict[str, Any] = {
        "tab": tab,
        "tabs": [f"{STUDIO}/{tab}" for tab in TABS],
        "presets": PRESETS,
        "userId": user_id,
        "lastDay": last_label.isoformat(),
        "today": today.isoformat(),
        "maxDays": max_export_days,
    }
    download = markup.button(
        CHANGED if changed else texts.download_data, "Analytics_Download_Trigger", element_id="download", kind="primary"
    )
    body = (
        boot(markup, data)
        + _tabs(markup, tab)
        + f"<header {markup.classes('AnalyticsHeader')}>{_range_menu(markup)}{download}</header>"
        + f'<main id="{markup.element_id("metrics")}" {markup.hook("Analytics_Metrics_Container")}></main>'
        + f'<div {markup.classes("Posts")} id="{markup.element_id("posts")}"></div>'
        + _download_dialog(markup, str(getattr(texts, tab)), changed=changed)
        + overlay
    )
    return document(markup, f"{getattr(texts, tab)} | TikTok Studio", body, assets=assets, scripts=SCRIPTS)


def video(markup: Markup, video_id: str, title: str, *, assets: str, user_id: str, overlay: str = "") -> str:
    """The page of one video: numbers that no export contains."""
    tabs = [f"{STUDIO}/{tab}" for tab in TABS]
    data = {"tab": "video", "tabs": tabs, "userId": user_id, "videoId": video_id}
    body = (
        boot(markup, data)
        + _tabs(markup, "content")
        + f"<h1 {markup.classes('VideoTitle')}>{text(title)}</h1>"
        + f'<main id="{markup.element_id("metrics")}" {markup.hook("Video_Metrics_Container")}></main>'
        + overlay
    )
    return document(markup, "TikTok Studio", body, assets=assets, scripts=SCRIPTS)


def first_run(markup: Markup) -> str:
    """The dialog that covers a page until it is closed."""
    button = markup.button(markup.texts.got_it, "Common_News_Confirm", element_id="got-it", kind="primary")
    body = f"<p>{text(markup.texts.news)}</p>{button}"
    return markup.modal(markup.texts.news_title, body, element_id="news", hidden=False)


def _tabs(markup: Markup, active: str) -> str:
    """Tabs are plain elements: no role, no link."""
    items = "".join(
        f'<div {markup.classes("TUXTabBar-item")} data-path="{STUDIO}/{tab}" {markup.hook(f"Analytics_TabBar_{tab}")}>'
        f'<span class="TUXTabBar-itemTitle{" TUXTabBar-itemTitle--active" if tab == active else ""}">'
        f"{text(str(getattr(markup.texts, tab)))}</span></div>"
        for tab in TABS
    )
    return f"<nav {markup.classes('TUXTabBar')}>{items}</nav>"


def _range_menu(markup: Markup) -> str:
    texts = markup.texts
    options = "".join(
        f'<div class="TUXMenuItem" role=menuitem tabindex=0 '
        f"{markup.hook('Analytics_RangePicker_Option')}>{text(texts.last_days.format(days=days))}</div>"
        for days in PRESETS
    )
    custom = (
        f'<div class="TUXMenuItem" role=menuitem tabindex=0 id="{markup.element_id("custom")}" '
        f"{markup.hook('Analytics_RangePicker_Custom')}>"
        f"{text(texts.custom)}</div>"
    )
    trigger = markup.button(texts.last_days.format(days=7), "Analytics_RangePicker_Trigger", element_id="range")
    return (
        f'<div class="RangePicker">{trigger}'
        f'<div id="{markup.element_id("menu")}" class="TUXMenu" role=menu hidden>{options}{custom}</div>'
        f"{_calendar(markup)}</div>"
    )


def _calendar(markup: Markup) -> str:
    """Two fields that cannot be typed into, and one month; ``studio.js`` fills in the days."""
    texts = markup.texts
    fields = "".join(
        f'<label class="TUXFormField TUXTextInput">{text(label)}<div class="TUXInputBox">'
        f'<input id="{markup.element_id(name)}" class="TUXTextInputCore-input" type=text readonly '
        f"{markup.hook(f'Analytics_Calendar_{name.capitalize()}')}></div></label>"
        for name, label in (("start", texts.start_date), ("end", texts.end_date))
    )
    arrows = [
        f'<span class="arrow" role=button aria-label="{text(label)}" '
        f"{markup.hook(f'Analytics_Calendar_{name}')}>{sign}</span>"
        for name, label, sign in (("Previous", texts.previous_month, "‹"), ("Next", texts.next_month, "›"))
    ]
    return (
        f'<div id="{markup.element_id("calendar")}" class="TUXPopover" role=dialog '
        f'aria-label="{text(texts.custom)}" hidden>{fields}'
        f'<div class="calendar-wrapper"><div class="month-header-wrapper">{arrows[0]}<div class="title-wrapper">'
        '<span class="month-title"></span> <span class="year-title"></span></div>'
        f'{arrows[1]}</div><div class="days-wrapper"></div></div>'
        f'<p id="{markup.element_id("calendar-error")}" role=alert></p>'
        f"{markup.button(texts.cancel, 'Analytics_Calendar_Cancel', element_id='calendar-cancel')}"
        f"{markup.button(texts.apply, 'Analytics_Calendar_Apply', element_id='apply', kind='primary')}</div>"
    )


def _download_dialog(markup: Markup, section: str, *, changed: bool) -> str:
    texts = markup.texts
    radios = "".join(
        '<label class="TUXRadio"><input type=radio name=format '
        f"value={name} {'checked' if name == 'XLSX' else ''}>{name}</label>"
        for name in ("XLSX", "CSV")
    )
    confirm = CHANGED if changed else texts.download
    body = (
        f"<p>{text(texts.file_format)}</p>{radios}"
        f'<p id="{markup.element_id("preparing")}" hidden>{text(texts.preparing)}</p>'
        f"{markup.button(texts.cancel, 'Analytics_Download_Cancel', element_id='download-cancel')}"
        f"{markup.button(confirm, 'Analytics_Download_Confirm', element_id='download-confirm', kind='primary')}"
    )
    return markup.modal(texts.download_title.format(section=section), body, element_id="download-dialog")


def login_choice(markup: Markup, continue_to: str, *, assets: str) -> str:
    """``/login``: the choice of login method."""
    query = quote(continue_to, safe="")
    links = "".join(
        f'<a class="TUXButton" data-e2e="channel-item" href="{path}?redirect_url={query}">{text(label)}</a>'
        for path, label in (
            ("/login/qrcode", markup.texts.use_qr),
            ("/login/phone-or-email/email", markup.texts.use_email),
        )
    )
    return _login_document(markup, links, assets=assets)


def login_form(markup: Markup, continue_to: str, *, assets: str, error: str = "") -> str:
    """Name and password; also the panel that replaces a page whose session ended."""
    texts = markup.texts
    form = (
        f'<form method=post action="/login/phone-or-email/email?redirect_url={quote(continue_to, safe="")}">'
        '<input name=username class="TUXTextInputCore-input" autocomplete=username '
        f'placeholder="{text(texts.username)}">'
        "<input name=password type=password autocomplete=current-password "
        f'class="TUXTextInputCore-input" placeholder="{text(texts.password)}">'
        f'<p role=alert>{text(error)}</p><button type=submit class="TUXButton" data-e2e="login-button">'
        f"{text(texts.log_in)}</button></form>"
    )
    return _login_document(markup, form, assets=assets)


def login_code(markup: Markup, *, assets: str, error: str = "", overlay: str = "") -> str:
    """``/login/2sv``: the one-time code."""
    texts = markup.texts
    form = (
        f"<form method=post action=/login/2sv><h2>{text(texts.code)}</h2>"
        "<input name=code inputmode=numeric maxlength=6 "
        f'autocomplete=one-time-code class="TUXTextInputCore-input" placeholder="{text(texts.code)}">'
        f'<p role=alert>{text(error)}</p><button type=submit class="TUXButton">{text(texts.next)}</button></form>'
        f"{overlay}"
    )
    return _login_document(markup, form, assets=assets)


def login_qr(markup: Markup, token: str, continue_to: str, *, assets: str) -> str:
    """``/login/qrcode``: waits for a scan."""
    data = {"tab": "qr", "token": token, "continueTo": continue_to}
    body = f'{boot(markup, data)}<div data-e2e="qr-code">{_qr_picture(token)}</div><p>{text(markup.texts.qr_hint)}</p>'
    return _login_document(markup, body, assets=assets, scripts=SCRIPTS)


def _login_document(markup: Markup, body: str, *, assets: str, scripts: Sequence[str] = ()) -> str:
    title = markup.texts.login_title
    panel = f'<div class="login"><h1 data-e2e="login-title">{text(title)}</h1>{body}</div>'
    return document(markup, title, panel, assets=assets, scripts=scripts)


def _qr_picture(token: str) -> str:
    """Looks like a QR code; only ``/sim/control`` can scan it."""
    rng = Random(token)
    cells = "".join(f"M{x} {y}h1v1h-1z" for x in range(25) for y in range(25) if rng.random() < 0.5)
    return f'<svg width=200 viewBox="0 0 25 25" role=img aria-label=QR><path d="{cells}"/></svg>'

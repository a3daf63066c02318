"""The building blocks of the simulator's HTML: TUX markup with build-dependent classes, captcha containers, the frame.

Everything is a string; text is escaped where it enters. Whole pages are ``pages``.
"""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tiktok_assets.simulator.studio.texts import TEXTS, Texts

CAPTCHAS = ("#captcha-verify-container", ".captcha-verify-container", ".captcha_verify_container", "#captcha_container")
"""The containers a captcha appears in. Some of them are on every normal page, hidden."""
HIDDEN_CAPTCHAS = (
    '<div id="captcha_container" style="display:none"></div><div class="captcha_verify_container" hidden></div>'
)


@dataclass(frozen=True, kw_only=True)
class Markup:
    """How one page is written: its language, the class names of this build, and whether its hooks have changed."""

    language: str
    css_class: Callable[[str], str]
    hooks: bool = True

    @property
    def texts(self) -> Texts:
        """The page's texts."""
        return TEXTS[self.language]

    def hook(self, name: str) -> str:
        """The stable attribute of an element: ``data-tt="<Page>_<Component>_<El>"``."""
        return f'data-tt="{name}"' if self.hooks else ""

    def element_id(self, name: str) -> str:
        """The id that the page's own script knows; it changes with every start, so nothing else can rely on it."""
        return f"{self.css_class('ids')}-{name}"

    def classes(self, *names: str) -> str:
        """The TUX classes of an element and the one this build gave it."""
        return f'class="{" ".join(names)} {self.css_class(names[-1])}"'

    def button(self, label: str, hook: str, *, element_id: str = "", kind: str = "secondary") -> str:
        """A TUXButton; its label is two elements deep."""
        identity = f'id="{self.element_id(element_id)}"' if element_id else ""
        return (
            f"<button {identity} type=button {self.classes('TUXButton', 'TUXButton--medium', f'TUXButton--{kind}')} "
            f'{self.hook(hook)}><div class="TUXButton-content"><div class="TUXButton-label">{text(label)}</div></div>'
            "</button>"
        )

    def modal(self, title: str, body: str, *, element_id: str, hidden: bool = True) -> str:
        """A TUXModal that covers the page."""
        return (
            f'<div id="{self.element_id(element_id)}" class="TUXModal-overlay" {"hidden" if hidden else ""}>'
            f'<div {self.classes("TUXModal")} role=dialog aria-modal=true aria-label="{text(title)}">'
            f"<h2>{text(title)}</h2>{body}</div></div>"
        )

    def captcha(self, container: str, continue_to: str) -> str:
        """A visible captcha; dragging is replaced by a click, which continues."""
        name = container.lstrip("#.")
        attribute = f'id="{name}"' if container.startswith("#") else f'class="{name}"'
        return (
            f'<div class="TUXModal-overlay"><div {attribute} style="background:#fff;padding:24px">'
            f'<p>{text(self.texts.captcha)}</p><a class="captcha_verify_slide--button" href="{text(continue_to)}">→</a>'
            "</div></div>"
        )


def text(value: str) -> str:
    """``value`` as text or attribute."""
    return html.escape(value)


def boot(markup: Markup, data: Mapping[str, Any]) -> str:
    """Data for the page's script."""
    page_data = {"language": markup.language, "texts": asdict(markup.texts), "ids": markup.element_id("")}
    safe = json.dumps(page_data | dict(data), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script id="__BOOT__" type="application/json">{safe}</script>'


def document(markup: Markup, title: str, body: str, *, assets: str, scripts: Sequence[str] = ()) -> str:
    """A whole page; ``assets`` is the folder of the static files, ``scripts`` some of them, in order."""
    loaded = "".join(f'<script src="{assets}/{script}"></script>' for script in scripts)
    toast = f'<div id="{markup.element_id("toast")}" class="TUXToast" role="alert" hidden></div>'
    return (
        f'<!doctype html><html lang="{markup.language}"><head><meta charset="utf-8"><title>{text(title)}</title>'
        f'<link rel="stylesheet" href="{assets}/studio.css"><link rel="icon" href="data:,"></head>'
        f"<body>{body}{HIDDEN_CAPTCHAS}{toast}{loaded}</body></html>"
    )

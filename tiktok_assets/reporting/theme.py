"""The colours of charts in light and in dark mode, as Vega's configuration. The page's own are in ``page.css``."""

from __future__ import annotations

from typing import Any

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def theme(*, dark: bool) -> dict[str, Any]:
    """Vega's configuration. The styles are those that ``charts`` uses."""
    ink, faint, rule = ("#e8e8ea", "#a3a3ad", "#3a3a42") if dark else ("#1c1c21", "#61616b", "#e3e3e8")
    views, followers = ("#62d6e0", "#f58fb4") if dark else ("#0b7285", "#c2255c")
    event, error = ("#ffc857", "#ff7b72") if dark else ("#d9730d", "#c92a2a")
    more, fewer = ("#2ba3b8", "#e06c4f") if dark else ("#1098ad", "#e8590c")
    paper, grey = ("#1b1b20", "#34343c") if dark else ("#ffffff", "#ececf0")
    return {
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": faint,
            "titleColor": faint,
            "gridColor": rule,
            "domainColor": rule,
            "tickColor": rule,
            "labelFontSize": 11,
        },
        "axisBand": {"grid": False, "ticks": False, "domain": False},
        "text": {"color": ink},
        "style": {
            "quiet": {"color": faint, "strokeWidth": 1, "opacity": 0.6},
            "views": {"color": views, "strokeWidth": 2.5},
            "followers": {"color": followers, "strokeWidth": 2.5},
            "hover": {"size": 60, "opacity": 0, "filled": True},
            "event": {"filled": True, "color": event, "size": 90, "shape": "circle", "opacity": 1},
            "error": {"filled": True, "color": error, "size": 90, "shape": "diamond", "opacity": 1},
            "unknown": {"color": faint, "opacity": 0.18},
            "activity": {"color": views, "opacity": 0.75},
            "more": {"color": more, "stroke": paper, "strokeWidth": 1.5},
            "fewer": {"color": fewer, "stroke": paper, "strokeWidth": 1.5},
            "no-evidence": {"color": grey, "stroke": paper, "strokeWidth": 1.5},
            "few": {"fontSize": 9, "color": faint},
            "effect": {"fontSize": 8.5, "fontWeight": 600, "color": ink},
        },
    }

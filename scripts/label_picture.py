"""Draws docs/images/labels.svg: the views that two exports of one account report, by their labels and on real days.

    .venv/bin/python scripts/label_picture.py EARLIER.zip LATER.zip

Takes two Overview exports that share days; the numbers in the picture are theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import altair as alt
import polars as pl

from tiktok_assets.reports.alignment import verdicts
from tiktok_assets.reports.overview import OVERVIEW
from tiktok_assets.reports.reading import open_export
from tiktok_assets.settings import project_root

WIDTH, HEIGHT = 640, 150


def rows_of(path: Path) -> pl.DataFrame:
    """The raw rows of an Overview export."""
    with open_export(path) as export:
        [(_, rows)] = [one for one in export.frames(account="one", source=path.name) if one[0].report is OVERVIEW]
        return rows.lazy().collect()


def main(earlier: Path, later: Path) -> None:
    """Align both, keep the days that both contain, draw."""
    raw = pl.concat([rows_of(earlier), rows_of(later)], how="diagonal")
    shifts = {verdict.export_id: verdict.shift_days for verdict, _ in verdicts({"overview": raw})}
    views = OVERVIEW.parse(raw).with_columns(
        export=pl.format("export of {}", pl.col("downloaded_at").dt.strftime("%-d %B")),
        day=pl.col("date_label") - pl.duration(days=pl.col("export_id").replace_strict(shifts)),
    )
    shared = views.filter(pl.len().over("day") == 2)
    first = shared["day"].min()
    shown = views.filter(pl.col("day") >= first)
    domain = [str(first), str(shown["date_label"].max())]
    panels = [
        _panel(shown, "date_label", domain, "As labelled: every day appears twice, with different numbers"),
        _panel(shown, "day", domain, "On real days: the same numbers"),
    ]
    picture = alt.vconcat(*panels).configure_view(stroke=None).configure(background="white")
    picture.save(project_root() / "docs" / "images" / "labels.svg")


def _panel(rows: pl.DataFrame, day: str, domain: list[str], title: str) -> alt.Chart:
    chart = alt.Chart(alt.Data(values=rows.select("export", "video_views", pl.col(day).cast(pl.String)).to_dicts()))
    return (
        chart.mark_line(point=alt.OverlayMarkDef(size=40), strokeWidth=2, opacity=0.75)
        .encode(
            x=alt.X(
                f"{day}:T", title=None, scale=alt.Scale(domain=domain), axis=alt.Axis(format="%-d %b", tickCount="week")
            ),
            y=alt.Y("video_views:Q", title="views a day"),
            color=alt.Color(
                "export:N",
                title=None,
                legend=alt.Legend(orient="top-right"),
                scale=alt.Scale(range=["#1f77b4", "#e8590c"]),
            ),
            strokeDash=alt.StrokeDash("export:N", legend=None),
        )
        .properties(width=WIDTH, height=HEIGHT, title=alt.TitleParams(title, anchor="start"))
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))

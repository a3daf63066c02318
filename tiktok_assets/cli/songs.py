"""The commands for the list of songs. Exit codes as in ``app``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from tiktok_assets.cli.days import day_of
from tiktok_assets.cli.output import AsJson, err, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.label.songs import Song
    from tiktok_assets.settings import Settings

app = typer.Typer(help="The songs whose videos are followed.", no_args_is_help=True, rich_markup_mode=None)

_Day = Annotated[dt.date, typer.Option(parser=day_of, metavar="DAY", help="As 2026-06-12.")]
_Texts = list[str] | None


@app.command("list", epilog="Example: tiktok-assets songs list --json")
def list_songs(as_json: AsJson = False) -> None:
    """List the songs, with the videos that were recognised and what these gained in the last 28 known days."""
    from tiktok_assets.label.songs import load_songs, unknown_accounts
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    songs = load_songs(settings)
    for sentence in unknown_accounts(settings, songs):
        err.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    standing = _standing(settings) if songs else []
    found = [_line(song, [row for row in standing if row["song"] == song.key]) for song in songs]
    if as_json:
        print_json(found)
        return
    _print_songs(songs, found)
    if any(not line["videos"] for line in found):
        out.print("After an edit, `tiktok-assets process` looks for the videos of a song.", highlight=False)


@app.command(
    epilog='Example: tiktok-assets songs add summer-nights --title "Summer Nights" --artist Pig --released 2026-06-12 '
    "--hashtag summernights"
)
def add(
    name: Annotated[str, typer.Argument(help="A short name: letters, digits, '-' and '_'.")],
    title: Annotated[str, typer.Option(help="The song's title.")],
    artist: Annotated[str, typer.Option(help="Who made it.")],
    released: _Day,
    hashtag: Annotated[_Texts, typer.Option(help="A whole hashtag of its videos; may be repeated.")] = None,
    caption: Annotated[_Texts, typer.Option(help="Words in the captions of its videos; may be repeated.")] = None,
    video: Annotated[_Texts, typer.Option(help="The id of one of its videos; may be repeated.")] = None,
    account: Annotated[_Texts, typer.Option(help="Only videos of this account; may be repeated.")] = None,
    isrc: Annotated[_Texts, typer.Option(help="Its recording's code, for streams; may be repeated.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign it belongs to.")] = None,
) -> None:
    """Add a song to songs.toml. Nothing else in the file changes."""
    from tiktok_assets.label.songs import add_song
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    several = {"hashtags": hashtag, "captions": caption, "video_ids": video, "accounts": account, "isrc": isrc}
    one = {"title": title, "artist": artist, "release_date": released, "campaign": campaign}
    song = add_song(settings, name, **one, **several)
    out.print(f"Added {song.key} to {settings.songs_file}.", markup=False, highlight=False, soft_wrap=True)
    out.print("`tiktok-assets process`, or `make dev` within moments, looks for its videos.", highlight=False)


@app.command(epilog="Example: tiktok-assets songs suggest --around 2026-06-12 --days 21")
def suggest(
    around: _Day,
    days: Annotated[int, typer.Option(help="Days before and after it.", min=1, max=366)] = 21,
    most: Annotated[int, typer.Option(help="How many to show.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show hashtags and phrases that recur in videos published around a day and were rare before.

    Nothing is changed: `songs add` adds what fits.
    """
    from tiktok_assets.queries.published import NoWarehouse
    from tiktok_assets.queries.songs import suggested
    from tiktok_assets.settings import load_settings

    try:
        rows = suggested(load_settings(), around, days).head(most).to_dicts()
    except NoWarehouse as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    if as_json:
        print_json(rows)
        return
    # An id is there to be copied: whole in a terminal of any width, the other columns give way.
    longest = max((len(row["video_ids"][-1]) for row in rows), default=0)
    newest, text = Column("newest video", no_wrap=True, min_width=longest), Column("text", overflow="fold")
    table = Table("kind", text, "videos", "accounts", "before", "first", newest, box=None, pad_edge=False)
    for row in rows:
        text = f"#{row['text']}" if row["kind"] == "hashtag" else f'"{row["text"]}"'
        counts = (str(row[name]) for name in ("videos", "accounts", "videos_before"))
        table.add_row(row["kind"], _plain(text), *counts, str(row["first_on"]), row["video_ids"][-1])
    nothing = f"No hashtag or phrase recurs within {days} days of {around} that was rare before."
    out.print(table if rows else nothing, highlight=False, crop=False)


def _standing(settings: Settings) -> list[dict[str, Any]]:
    """``queries.songs.standing``; nothing where nothing was processed yet."""
    from tiktok_assets.queries.published import NoWarehouse
    from tiktok_assets.queries.songs import standing

    try:
        return standing(settings).to_dicts()
    except NoWarehouse:
        return []


def _line(song: Song, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A song with its sums over accounts; null where one is unknown, or all."""

    def total(name: str) -> int | None:
        known = [row[name] for row in rows if row["videos_known"]]
        return sum(known) if known and None not in known else None

    return {
        "song": song.key,
        "title": song.title,
        "artist": song.artist,
        "release_date": song.release_date,
        "campaign": song.campaign,
        "videos": sum(row["videos"] for row in rows),
        "videos_known": sum(row["videos_known"] for row in rows),
        **{name: total(name) for name in ("views_low", "views", "views_high")},
        "accounts": rows,
    }


def _print_songs(songs: tuple[Song, ...], found: list[dict[str, Any]]) -> None:
    from tiktok_assets.reporting.words import between

    table = Table(
        "song", "title", "artist", "released", "videos known", "accounts", "views, 28 days", box=None, pad_edge=False
    )
    for line in found:
        is_whole = line["videos_known"] == line["videos"]
        counts = (f"{line['videos_known']} of {line['videos']}", str(len(line["accounts"])))
        # What unknown videos gained is not known: no most, and no estimate.
        views = between(line["views_low"], *((line["views"], line["views_high"]) if is_whole else (None, None)))
        texts = (_plain(line[name]) for name in ("song", "title", "artist"))
        table.add_row(*texts, str(line["release_date"]), *counts, views)
    nothing = (
        "No songs. Add one: tiktok-assets songs add NAME --title TITLE --artist ARTIST --released DAY --hashtag TAG"
    )
    out.print(table if songs else nothing, highlight=False)


def _plain(text: str) -> Any:
    """Text that is no markup: brackets in it mean nothing."""
    from rich.text import Text

    from tiktok_assets.exports.safe_text import printable

    return Text(printable(text))

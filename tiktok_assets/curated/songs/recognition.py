"""Which videos are a song's? Those with its hashtag, its words in the caption, or an id that the song names.

A video can be that of several songs, and of each it counts once. Captions are whatever somebody typed: their letters
are compared, whatever their case and style (Unicode's compatibility forms: full width, bold letters of formulas).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, made_of
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos.gains import published_on
from tiktok_assets.exports.long_frames import Rows, pieces

MATCHED_BY = ["video_id", "hashtag", "caption"]
"""The surest first."""
_WITHOUT_SPACES = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Scripts that put no spaces between words, so that any place in them can be the end of one."""
_FOLDED = {"ς": "σ", "ß": "ss", "i\N{COMBINING DOT ABOVE}": "i"} | dict.fromkeys("’‘ʼ", "'")
"""What lower case leaves apart although people write either."""

_CAPTION = ["account", "video_id", "title"]
_TOTALS = ("total_views", "total_likes", "total_comments", "total_shares")
COLUMNS = (*_CAPTION, "date", "hashtags", "link", "published_at", "post_date", *_TOTALS, "export_id")
"""The columns of a snapshot that ``song_videos`` needs."""


class SongVideo(pa.DataFrameModel):
    """A video of a song, as a snapshot has it."""

    song: str = pa.Field(
        description="the song's name in brackets of songs.toml", metadata=made_of("title", "hashtags", "video_id")
    )
    video_id: str = pa.Field(description="TikTok's id of the video")
    matched_by: str = pa.Field(
        isin=MATCHED_BY,
        description="what says that it is the song's: the surest of video_id, hashtag, caption",
        metadata=made_of("title", "hashtags", "video_id"),
    )
    title: str = pa.Field(nullable=True, description="caption with its hashtags; may be empty")
    link: str = pa.Field(nullable=True, description="address of the video; null where only insights contain it")
    published_on: pl.Date = pa.Field(
        nullable=True,
        description="first day on which it can have had views (UTC): that of the upload, or the one before the post "
        "date of a scheduled video; null for ids without an upload time",
        metadata=made_of("published_at", "post_date"),
    )
    total_views: int = pa.Field(nullable=True, description="views since publication")
    total_engagements: int = pa.Field(
        nullable=True,
        description="likes + comments + shares since publication",
        metadata=made_of("total_likes", "total_comments", "total_shares"),
    )


class SongVideos(SongVideo):
    """One row per account, day of a snapshot, song and video that its caption or id makes the song's."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    export_id: str = pa.Field(nullable=True, description="export behind the numbers")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "song", "video_id"]


class VideosOfSongs(SongVideo, WarehouseRow):
    """One row per account, day of a snapshot, song and video that its caption or id makes the song's."""

    captured_on: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    is_latest: bool = pa.Field(
        nullable=True,
        description="whether this is the newest of all snapshots that make the video the song's",
        metadata=made_of("date"),
    )

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "captured_on", "song", "video_id"]


def song_videos(videos: Rows, songs: Sequence[Song]) -> pl.DataFrame:
    """The rows of ``SongVideos``. ``videos``: snapshots with ``COLUMNS``; each is judged by its own caption."""
    if not songs:
        return SongVideos.empty()
    found = pl.concat(_of_songs(piece, songs) for piece in pieces(videos))
    return found.sort("account", "date", "song", "video_id")


def _of_songs(videos: pl.DataFrame, songs: Sequence[Song]) -> pl.DataFrame:
    if videos.is_empty():
        return SongVideos.empty()
    # Lifetime totals cannot be negative. One that is, is an error of the source.
    views, likes, comments, shares = (pl.when(pl.col(total) >= 0).then(pl.col(total)) for total in _TOTALS)
    return (
        videos.join(_matches(videos, songs), on=_CAPTION, nulls_equal=True)
        .with_columns(published_on=published_on(), total_views=views, total_engagements=likes + comments + shares)
        .select(list(SongVideos.to_schema().columns))
    )


def _matches(videos: pl.DataFrame, songs: Sequence[Song]) -> pl.DataFrame:
    """One row per caption of a video and song: how it was recognised, by the surest way."""
    captions = videos.select(*_CAPTION, "hashtags").unique(_CAPTION)
    found = pl.concat([_by_video_id(captions, songs), _by_hashtag(captions, songs), _by_caption(captions, songs)])
    counts = [(pl.col("song") == one.key) & pl.col("account").is_in(one.accounts) for one in songs if one.accounts]
    anywhere = pl.col("song").is_in([one.key for one in songs if not one.accounts])
    return (
        found.filter(pl.any_horizontal(anywhere, *counts))
        .sort(pl.col("matched_by").cast(pl.Enum(MATCHED_BY)))
        .unique([*_CAPTION, "song"], keep="first", maintain_order=True)
    )


def _by_video_id(captions: pl.DataFrame, songs: Sequence[Song]) -> pl.DataFrame:
    ids = _pairs("video_id", [(song.key, one) for song in songs for one in song.video_ids])
    return _matched(captions.join(ids, on="video_id"), "video_id")


def _by_hashtag(captions: pl.DataFrame, songs: Sequence[Song]) -> pl.DataFrame:
    pairs = _pairs("hashtag", [(song.key, one) for song in songs for one in song.hashtags])
    hashtags = captions.select(*_CAPTION, hashtag="hashtags").explode("hashtag")
    of_videos, of_songs = (frame.with_columns(folded(pl.col("hashtag"))) for frame in (hashtags, pairs))
    return _matched(of_videos.join(of_songs, on="hashtag"), "hashtag")


def _by_caption(captions: pl.DataFrame, songs: Sequence[Song]) -> pl.DataFrame:
    compared = captions.select(*_CAPTION, caption=folded(pl.col("title")))
    found = [
        _matched(compared.filter(pl.col("caption").str.contains(_pattern(song.captions))), "caption", song.key)
        for song in songs
        if song.captions
    ]
    return pl.concat([_matched(compared.clear(), "caption", ""), *found])


def _pairs(column: str, pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"song": pl.String, column: pl.String}, orient="row")


def _matched(rows: pl.DataFrame, way: str, song: str | None = None) -> pl.DataFrame:
    key = pl.col("song") if song is None else pl.lit(song)
    return rows.select(*_CAPTION, song=key, matched_by=pl.lit(way))


def folded(text: pl.Expr) -> pl.Expr:
    """``text`` as it is compared: letters and apostrophes of one form, in lower case."""
    lower = text.str.normalize("NFKC").str.to_lowercase()
    for written, compared in _FOLDED.items():
        lower = lower.str.replace_all(written, compared, literal=True)
    return lower


def _pattern(phrases: Sequence[str]) -> str:
    """A regular expression for folded texts that hold one of ``phrases`` as whole words."""
    compared = pl.DataFrame({"phrase": phrases}).select(folded(pl.col("phrase")))
    return "|".join(_words(phrase) for phrase in compared["phrase"])


def _words(phrase: str) -> str:
    words = r"\s+".join(pl.escape_regex(word) for word in phrase.split())
    begins = "" if _is_inside_words(phrase[0]) else r"(?:^|\W)"
    ends = "" if _is_inside_words(phrase[-1]) else r"(?:\W|$)"
    return f"{begins}{words}{ends}"


def _is_inside_words(letter: str) -> bool:
    return pl.select(pl.lit(letter).str.contains(_WITHOUT_SPACES)).item()


SONG_VIDEOS = Table(
    key="curated/song_videos",
    schema=SongVideos,
    version="2",
    inputs={"videos": Input("curated/videos", columns=COLUMNS, may_be_long=True)},
    make=lambda inputs, parameters: song_videos(inputs["videos"], parameters.songs),
    is_by_day=True,
)
VIDEOS_OF_SONGS = publication(
    SONG_VIDEOS,
    "warehouse/song_videos",
    VideosOfSongs,
    renamed={"captured_on": "date"},
    over_all_months={"is_latest": "captured_on = max(captured_on) over (partition by account, song, video_id)"},
)

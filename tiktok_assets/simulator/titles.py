"""Realistic video titles that break careless CSV readers.

A title depends on the video's id alone, so it is made only when an export shows it.
"""

from random import Random

LONGEST_TITLE = 3830
"""Characters of the longest title measured in a Content.csv."""

_PHRASES = (
    "new single out now",
    "wait for the drop",
    "behind the scenes, take 3",
    "POV: the bass comes in",
    "rehearsal, day two",
    "she said \"one more time\"",
    "\"live\"",
    "what do you hear, yes or no?",
    "\"first\",\"second\" or \"third\"?",
    "слушай до конца",
    "새 노래 나왔어요",
    "新曲です",
    "όλο το τραγούδι εδώ",
    "não pule, ouça",
    "5\" vinyl is here",
    "rec'd at home; mixed at 3 am",
    "acoustic version (1/2)",
    "=not a formula",
)  # fmt: skip
_EMOJI = ("🎧", "🔥", "❤️‍🔥", "😂", "🇰🇷", "👩🏽‍🎤", "✨", "🎹")
# fmt: off
_HASHTAGS = (
    "#newmusic", "#fyp", "#studio", "#музыка", "#indie", "#duet", "#음악", "#foryou", "#bts_of_a_song", "#2026",
)
# fmt: on


RELEASE = "summer nights ☀️ #SummerNights"
"""What the title of a video about the released song begins with."""


def title_of(video_id: int) -> str:
    """The title of a video: a phrase with emoji and hashtags; 1 in 12 is empty, 1 in 30 has hundreds of characters.

    Never a newline; quotes and commas as a person types them.
    """
    rng = Random(video_id)
    kind = rng.random()
    if kind < 1 / 12:
        return ""
    if kind > 29 / 30:
        return _long_title(rng)
    hashtags = rng.sample(_HASHTAGS, k=rng.randrange(0, 6))
    emoji = [rng.choice(_EMOJI)] if rng.random() < 0.6 else []
    return " ".join([rng.choice(_PHRASES), *emoji, *hashtags])


def _long_title(rng: Random) -> str:
    length = rng.choice((LONGEST_TITLE, rng.randrange(400, LONGEST_TITLE)))
    words = rng.choices(_PHRASES + _EMOJI + _HASHTAGS, k=length // 3)
    return " ".join(words)[:length].rstrip().ljust(length, "!")

"""Ways in which an export gets damaged, each a function of the content and chance. Pure.

Belongs here: the damage. Does not belong here: what must hold afterwards (``test_damaged_files``).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

Members = Mapping[str, bytes]
Damage = Callable[[bytes, random.Random], bytes]

# As a person or a program may write a number, and what it may be read as. None: as unknown; refusing is right as well.
ODD_NUMBERS: Mapping[str, frozenset[int | float | None]] = {
    **{text: frozenset({None}) for text in ("", "-", "--", "null", "N/A", "undefined")},
    **{
        text: frozenset({None, 1234})
        for text in ("1,234", "1 234", "1'234", "1234.0", " 1234 ", "+1234", "１２３４", "1.234K")
    },
    **{text: frozenset({None, 1500}) for text in ("1.5K", "1,5K", "1500.00", "1.5e3")},
    **{text: frozenset() for text in ("1e400", "0x10", "1/2", "12-34", "NaN%", "twelve", "1,2,3", "٣٤٥x", "9" * 40)},
    "-12": frozenset({None, -12}),
    "٣٤٥": frozenset({None, 345}),
}
_CELL = re.compile(rb'(?<=,)"(\d+(?:\.\d+)?)"(?=[,\n]|$)')


def one_of(chance: random.Random, members: Members) -> str:
    return chance.choice(sorted(members))


def flipped(content: bytes, chance: random.Random) -> bytes:
    """A few bytes are others."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def truncated(content: bytes, chance: random.Random) -> bytes:
    """The end is missing, as after an interrupted download."""
    return content[: chance.randrange(len(content))]


def hole(content: bytes, chance: random.Random) -> bytes:
    """Some bytes are zero, as in a file whose last blocks never reached the disk, or are missing."""
    begin = chance.randrange(len(content))
    length = chance.randint(1, 40)
    return content[:begin] + chance.choice((b"", bytes(length))) + content[begin + length :]


def repeated(content: bytes, chance: random.Random) -> bytes:
    """A part is there twice, as after a resumed download."""
    begin = chance.randrange(len(content))
    return content[: begin + chance.randint(1, 200)] + content[begin:]


def lines_deleted(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    kept = [line for number, line in enumerate(lines) if not number or chance.random() > 0.2]
    return b"\n".join(kept)


def lines_swapped(content: bytes, chance: random.Random) -> bytes:
    header, *lines = content.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join([header, *lines])


def line_repeated(content: bytes, chance: random.Random) -> bytes:
    header, *lines = content.split(b"\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"\n".join([header, *lines])


def line_damaged(content: bytes, chance: random.Random) -> bytes:
    """One line is cut, longer, empty, or the header again."""
    header, *lines = content.split(b"\n")
    number = chance.randrange(len(lines))
    line = lines[number]
    lines[number] = chance.choice(
        (line[: len(line) // 2], line + b',"1"', b"", header, line.replace(b'"', b""), line[1:])
    )
    return b"\n".join([header, *lines])


def header_damaged(content: bytes, chance: random.Random) -> bytes:
    """A name of a column is another text, missing, or there twice; or the whole header is missing."""
    header, *lines = content.split(b"\n")
    names = header.split(b",")
    number = chance.randrange(len(names))
    name = names[number]
    names[number] = chance.choice((name.upper(), name[:-2] + b'x"', b'""', b'" ' + name[1:], names[number - 1], b'"?"'))
    changed = chance.choice((b",".join(names), b",".join(names[:number] + names[number + 1 :]), b"", header * 2))
    return b"\n".join([changed, *lines])


def columns_swapped(content: bytes, chance: random.Random) -> bytes:
    """The columns in another order, each with its name. Only of a table without commas in its cells."""
    rows = [line.split(b",") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    order = chance.sample(range(len(rows[0])), len(rows[0]))
    if any(len(row) != len(order) for row in rows):
        return content
    return b"\n".join(b",".join(row[place] for place in order) for row in rows)


def odd_number(content: bytes, chance: random.Random) -> tuple[bytes, bytes, str]:
    """One number is written in an odd way; the line with it, as it was, and the way."""
    found = chance.choice([*_CELL.finditer(content)])
    text = chance.choice(sorted(ODD_NUMBERS))
    begin, end = content.rfind(b"\n", 0, found.start()) + 1, content.find(b"\n", found.start())
    line = content[begin : end if end >= 0 else None]
    return content[: found.start(1)] + text.encode() + content[found.end(1) :], line, text


OF_BYTES: dict[str, Damage] = {one.__name__: one for one in (flipped, truncated, hole, repeated)}
OF_LINES: dict[str, Damage] = {one.__name__: one for one in (lines_deleted, lines_swapped, line_repeated, line_damaged)}
OF_COLUMNS: dict[str, Damage] = {one.__name__: one for one in (header_damaged, columns_swapped)}


def of_members(members: Members, other: Members, chance: random.Random) -> dict[str, bytes]:
    """A member is missing, there under another name, empty, or one of another export is added or in its place."""
    changed = dict(members)
    name, foreign = one_of(chance, members), one_of(chance, other)
    chance.choice(
        (
            lambda: changed.pop(name),
            lambda: changed.update({f"{name}.bak": changed.pop(name)}),
            lambda: changed.update({f"copy of {name}": changed[name]}),
            lambda: changed.update({name: b""}),
            lambda: changed.update({foreign: other[foreign]}),
            lambda: changed.update({name: other[foreign]}),
        )
    )()
    return changed

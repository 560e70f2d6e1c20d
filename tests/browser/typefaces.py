"""Two typefaces made here, so that what is installed changes no test: one as wide as DejaVu Sans,
the widest that is common, and one as narrow as Liberation Sans Narrow.

Every character is a box. Its width is the mean of its kind in the typeface that is stood in for,
so that words are as long as they are there.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import NamedTuple

_EM = 1000
_ASCENT, _DESCENT, _HEIGHT = 930, 240, 700
_SPACES = " \xa0"
_THIN = "!'(),-./:;I[]fijlrt|"
_BROAD = "%@MWmw"
_DIGITS = "$0123456789£€¥"
_CAPITALS = "ABCDEFGHJKLNOPQRSTUVXYZ"
_LAST = 0xFFFF


class Widths(NamedTuple):
    """Advances in thousandths of an em."""

    space: int
    thin: int
    digit: int
    other: int
    capital: int
    broad: int


class Typeface(NamedTuple):
    """A family in two weights."""

    name: str
    regular: Widths
    bold: Widths

    def files(self) -> list[tuple[str, str]]:
        """Weight and font file (base64) of both."""
        return [
            ("400", b64encode(_font(self.regular)).decode()),
            ("600 900", b64encode(_font(self.bold)).decode()),
        ]


WIDE = Typeface("Wide", Widths(318, 346, 636, 604, 684, 932), Widths(348, 407, 696, 674, 763, 1011))
NARROW = Typeface(
    "Narrow", Widths(228, 226, 456, 438, 561, 715), Widths(228, 255, 456, 476, 569, 726)
)


def _font(widths: Widths) -> bytes:
    """A TrueType file (https://learn.microsoft.com/typography/opentype/spec/otff)."""
    advances = [widths.other, *widths]
    glyphs = [_box(advance) for advance in advances]
    offsets = [sum(map(len, glyphs[:count])) for count in range(len(glyphs) + 1)]
    tables = {
        b"OS/2": struct.pack(
            ">HhHHH10hh10s4L4sHHHhhhHHLLhhHHH",
            *(4, widths.other, 400, 5, 0),
            *(650, 700, 0, 140, 650, 700, 0, 480, 50, 260),
            *(0, bytes(10), 1, 0, 0, 0, b"NONE", 0x40, 0x20, _LAST),
            *(_ASCENT, -_DESCENT, 0, _ASCENT, _DESCENT, 1, 0, 500, _HEIGHT, 0, 0x20, 1),
        ),
        b"cmap": _characters(),
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">LLLLHHqq4hHHhhh",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _EM, 0, 0),
            *(0, 0, max(advances), _HEIGHT, 0, 8, 2, 1, 0),
        ),
        b"hhea": struct.pack(
            ">LhhhHhhhhhh4hhH",
            *(0x10000, _ASCENT, -_DESCENT, 0, max(advances), 50, 50, max(advances)),
            *(1, 0, 0, 0, 0, 0, 0, 0, len(advances)),
        ),
        b"hmtx": b"".join(struct.pack(">Hh", advance, 50) for advance in advances),
        b"loca": struct.pack(f">{len(offsets)}L", *offsets),
        b"maxp": struct.pack(">L14H", 0x10000, len(glyphs), 4, 1, 0, 0, 1, *[0] * 8),
        b"name": struct.pack(">HHH", 0, 0, 6),
        b"post": struct.pack(">LLhhLLLLL", 0x30000, 0, -100, 50, 0, 0, 0, 0, 0),
    }
    directory, body, start = b"", b"", 12 + 16 * len(tables)
    for tag, table in tables.items():
        directory += tag + struct.pack(">LLL", _checksum(table), start + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return struct.pack(">LHHHH", 0x10000, len(tables), 128, 3, 16 * len(tables) - 128) + (
        directory + body
    )


def _box(advance: int) -> bytes:
    """A glyph: one rectangle."""
    left, right = 50, advance - 50
    points = bytes([1] * 4)
    across = struct.pack(">4h", left, 0, right - left, 0)
    upwards = struct.pack(">4h", 0, _HEIGHT, 0, -_HEIGHT)
    glyph = struct.pack(">5hHH", 1, left, 0, right, _HEIGHT, 3, 0) + points + across + upwards
    return glyph + bytes(-len(glyph) % 4)


def _characters() -> bytes:
    """Every character to the glyph of its kind (format 13: many to one)."""
    kinds = (_SPACES, _THIN, _DIGITS, "", _CAPITALS, _BROAD)
    glyph_of = {ord(each): glyph for glyph, kind in enumerate(kinds, 1) for each in kind}
    other = kinds.index("") + 1
    groups, code = [], 0x20
    for special in [*sorted(glyph_of), _LAST + 1]:
        if code < special:
            groups.append((code, special - 1, other))
        if special <= _LAST:
            groups.append((special, special, glyph_of[special]))
        code = special + 1
    table = b"".join(struct.pack(">LLL", *group) for group in groups)
    head = struct.pack(">HHLLL", 13, 0, 16 + len(table), 0, len(groups))
    return struct.pack(">HHHHL", 0, 1, 3, 10, 12) + head + table


def _checksum(table: bytes) -> int:
    padded = table + bytes(-len(table) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}L", padded)
    return sum(words) & 0xFFFFFFFF

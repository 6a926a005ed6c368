"""Names broken into the lines that a drawing has room for, by a guess at how wide letters are.

Whoever opens a picture has fonts of their own, so the guess is a width that common fonts of a screen stay within.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

NARROW, WIDE = frozenset("fijlrtI.,:;!|'`()[]{}/\\ -"), frozenset("mwMW@%—…")
#: Widths of letters in ems.
SLIM, COMMON, CAPITAL, FULL, PICTURE = 0.36, 0.64, 0.74, 1.0, 1.35
FIRST_PICTURE, JOINER = 0x1F000, "\u200d"
CUT = "…"


def ems(words: str) -> float:
    """How wide words are, in sizes of their font."""
    return sum(map(_width, words))


def _width(letter: str) -> float:
    if letter in NARROW:
        return SLIM
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if ord(letter) >= FIRST_PICTURE:
        return PICTURE
    if letter in WIDE or unicodedata.east_asian_width(letter) in "WF":
        return FULL
    return CAPITAL if letter.isupper() else COMMON


def lines(words: str, room: float, most: int) -> tuple[str, ...]:
    """At most so many lines, each within ``room`` ems; of what is longer the middle is left out, the end stays.

    Names of one family differ at their ends: cut there, they would all look alike.
    """
    found = _broken(words, room)
    if len(found) <= most:
        return tuple(found)
    spare = room - ems(CUT)
    if most == 1:
        return (_start(words, spare / 2) + CUT + _end(words, spare / 2),)
    return (*found[: most - 1], CUT + _end(words, spare))


def most_lines(names: Iterable[str], room: float, most: int) -> int:
    """How many lines the longest of some names takes."""
    return max((len(lines(name, room, most)) for name in names), default=1)


def _broken(words: str, room: float) -> list[str]:
    """Between words; of a word that is longer than a line after a hyphen or a stroke, or anywhere."""
    found = [""]
    for piece in (piece for word in words.split() for piece in _pieces(word, room)):
        longer = found[-1] + piece
        if found[-1] and ems(longer.rstrip()) > room:
            found[-1] = found[-1].rstrip()
            found.append(piece)
        else:
            found[-1] = longer
    return [*found[:-1], found[-1].rstrip()]


def _pieces(word: str, room: float) -> Iterator[str]:
    """What stays together, each within ``room``; the last one is followed by a space."""
    if ems(word) <= room:
        yield f"{word} "
        return
    piece = ""
    for cluster in _clusters(f"{word} "):
        if piece and (ems(piece + cluster.rstrip()) > room or (piece[-1] in "-/_" and cluster.isalnum())):
            yield piece
            piece = ""
        piece += cluster
    yield piece


def _clusters(words: str) -> Iterator[str]:
    """Letters with the signs that belong to them."""
    cluster = ""
    for letter in words:
        if cluster and (_width(letter) or letter.isspace()) and not cluster.endswith(JOINER):
            yield cluster
            cluster = ""
        cluster += letter
    yield cluster


def _start(words: str, room: float) -> str:
    return "".join(_fitting(list(_clusters(words)), room)).rstrip()


def _end(words: str, room: float) -> str:
    return "".join(reversed(_fitting(list(_clusters(words))[::-1], room))).lstrip()


def _fitting(clusters: Sequence[str], room: float) -> list[str]:
    """As many of the first as there is room for."""
    ends = accumulate(map(ems, clusters))
    return [cluster for cluster, end in zip(clusters, ends, strict=True) if end <= room]

"""The encoding of a text, found out from its first bytes.

A byte order mark or the zeros of UTF-16 settle it; next comes whether the bytes are UTF-8.
Encodings with one byte a letter are compared by the letters that languages have beyond ASCII:
Polish words contain ``ł`` and never ``³``.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from charset_normalizer import from_bytes

_SAMPLE: Final = 16_384

_MARKS: Final = (
    # the longest first: a mark of UTF-32 begins with one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_OTHER_SCRIPTS: Final = (
    "cp1251", "cp1253", "cp932", "gb18030", "big5", "euc_kr", "euc_jp", "koi8_r", "cp866",
    "iso8859_5", "cp1256", "tis_620",
)  # fmt: skip

_WESTERN: Final = (
    "äöüß",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúü",  # Spanish
    "áâãàçéêíóôõúü",  # Portuguese
    "àèéìíòóù",  # Italian
    "àáçèéíïòóúü",  # Catalan
    "åäöæøé",  # of the North
    "áðéíóúýþæö",  # Icelandic
    "éëïóöèüá",  # Dutch
)
_CENTRAL: Final = (
    "ąćęłńóśźżé",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţșț",  # Romanian
    "čćđšž",  # Croatian, Serbian, Slovene
)
_TURKISH: Final = ("çğıöşüâîûİ",)
_BALTIC: Final = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")

_ALPHABETS: Final = {
    # the first of those that explain the same
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1257": _BALTIC,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
    "mac_roman": _WESTERN,
}
"""Encodings of Latin letters, with the letters beyond ASCII of the languages written in them."""

# a language explains a text wholly, but for a typing error
_CERTAIN: Final = 0.95

# how much less a letter tells that belongs to another language of the West: a shop has many brands
_FOREIGN: Final = 0.8

# signs that stand among words or at their ends, and those that stand within them
_SIGNS: Final = frozenset("‘’‚“”„–—…•€«»°©®™²³¹½¼¾£¥¢§·×±µ¿¡ªº†‡‰‹›\u00a0")
_SIGNS_WITHIN: Final = frozenset("’·–×\u00a0")


def encoding_of_start(head: bytes) -> str | None:
    """Return the encoding that the first bytes of a text settle, or None."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    # text in Latin letters as UTF-16: every other byte is zero
    pairs = len(head) // 2
    if pairs and head[1 : 2 * pairs : 2].count(0) > 0.4 * pairs > head[0::2].count(0) * 4:
        return "utf-16-le"
    if pairs and head[0 : 2 * pairs : 2].count(0) > 0.4 * pairs > head[1::2].count(0) * 4:
        return "utf-16-be"
    return None


def encoding_of(text: bytes) -> str:
    """Return the likely encoding of some lines, which is none of 16 or 32 bits.

    It is UTF-8 unless more letters contradict that than confirm it.
    """
    read = text.decode("utf-8", "surrogateescape")
    against = sum("\udc80" <= letter <= "\udcff" for letter in read)
    in_favour = sum(letter > "\x7f" for letter in read) - against
    if against <= in_favour:
        return "utf-8"
    sample = b"\n".join(line for line in text.split(b"\n") if not line.isascii())[:_SAMPLE]
    plausible = {encoding: _plausibility(sample, encoding) for encoding in _ALPHABETS}
    latin = max(plausible, key=plausible.__getitem__)
    # letters with accents stand among others, those of other scripts by themselves
    words = [word for word in re.findall(rb"[A-Za-z\x80-\xff]{2,}", sample) if not word.isascii()]
    full = sum(2 * sum(byte > 127 for byte in word) > len(word) for word in words)
    if 10 * full > 8 * len(words) or (2 * full > len(words) and plausible[latin] < _CERTAIN):
        found = from_bytes(sample, cp_isolation=["cp1252", *_OTHER_SCRIPTS]).best()
        if found and found.encoding in _OTHER_SCRIPTS:
            return found.encoding
    return latin


def _plausibility(text: bytes, encoding: str) -> float:
    """Return how well one language explains the letters beyond ASCII of a text, from -1 to 1."""
    letters = list(_list_non_ascii(text.decode(encoding, "replace")))
    each = [{*alphabet, *alphabet.upper(), *_SIGNS} for alphabet in _ALPHABETS[encoding]]
    every = set().union(*each)
    best = max(sum(letter in alphabet for letter in letters) for alphabet in each)
    known = sum(letter in every for letter in letters)
    foreign = _FOREIGN * known if encoding == "cp1252" else 0.0
    return (max(best, foreign) - (len(letters) - known)) / len(letters)


def _list_non_ascii(text: str) -> Iterator[str]:
    """Yield letters and signs beyond ASCII, U+FFFD for each that is out of place."""
    for before, letter, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if letter.isalpha():
            misplaced = before.islower() and letter.isupper()
        else:
            misplaced = before.isalpha() and after.isalpha() and letter not in _SIGNS_WITHIN
        if letter > "\x7f":
            yield "\ufffd" if misplaced else letter

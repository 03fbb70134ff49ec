"""The numbers by which spaCy knows strings: a hash, or a small number for words of its own.

Source: spaCy 3's string store. A string is known by MurmurHash64A (Austin Appleby's MurmurHash2 in
64 bits, seed 1) of its UTF-8 bytes; the empty one by 0; the names of its symbols by their places in
a fixed list, whoever uses them: a text that says “mark” uses one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

# Where in the list each run of names begins; between them stand numbered names that mean nothing.
RUNS = (
    (
        1,
        "IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM "
        "LIKE_EMAIL IS_STOP IS_OOV_DEPRECATED IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT "
        "IS_CURRENCY",
    ),
    (
        64,
        "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE "
        "HEAD SENT_START SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON "
        "PROPN PUNCT SCONJ SYM VERB X EOL SPACE",
    ),
    (
        380,
        "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT "
        "MONEY QUANTITY ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux auxpass cc "
        "ccomp complm conj cop csubj csubjpass dep det dobj expl hmod hyph infmod intj iobj mark "
        "meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj obl parataxis partmod pcomp "
        "pobj poss possessive preconj prep prt punct quantmod relcl rcmod root xcomp acl ENT_KB_ID "
        "MORPH ENT_ID IDX _",
    ),
)
NUMBERED = (("FLAG{}", 19, 19, 45), ("DEPRECATED{:03}", 1, 104, 276))


def _symbols() -> Iterator[tuple[str, int]]:
    for first, names in RUNS:
        yield from ((name, first + at) for at, name in enumerate(names.split()))
    for form, number, first, many in NUMBERED:
        yield from ((form.format(number + at), first + at) for at in range(many))


SYMBOLS = dict(_symbols())

FACTOR, SHIFT, WORD = 0xC6A4A7935BD1E995, 47, 0xFFFFFFFFFFFFFFFF
SEED = 1


@lru_cache(maxsize=200_000)
def number_of(text: str) -> int:
    """What spaCy calls a string, 0 to 2**64 - 1."""
    if not text:
        return 0
    return SYMBOLS[text] if text in SYMBOLS else murmur(text.encode())


def murmur(content: bytes) -> int:
    """MurmurHash64A of some bytes."""
    mixed = SEED ^ (len(content) * FACTOR & WORD)
    whole = len(content) - len(content) % 8
    for at in range(0, whole, 8):
        part = int.from_bytes(content[at : at + 8], "little") * FACTOR & WORD
        part = (part ^ part >> SHIFT) * FACTOR & WORD
        mixed = (mixed ^ part) * FACTOR & WORD
    if whole < len(content):
        mixed = (mixed ^ int.from_bytes(content[whole:], "little")) * FACTOR & WORD
    mixed = (mixed ^ mixed >> SHIFT) * FACTOR & WORD
    return mixed ^ mixed >> SHIFT

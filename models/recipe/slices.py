# SPDX-License-Identifier: MIT
"""Which text may be learnt from, and which may not.

The corpus is one file: a paragraph a line, books apart by a blank line.
Held-out slices are found in it by their text and taken out with a margin on
either side; what is left, as pieces, is all that the vocabulary and the
training ever see. The dev slices, cut in the same way, are for choosing among
runs: choosing by the held-out slices would be learning from them.
"""
import json
import lzma
import random

MARGIN = 4000       # characters cut on either side of a held-out slice
DEV_COUNT = 20
DEV_LENGTH = 3600   # bytes: about as long as a held-out slice
DEV_MARGIN = 500


def read_corpus(path):
    """The whole corpus as bytes, from a plain or an .xz file."""
    with open(path, "rb") as file:
        data = file.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def read_slices(path):
    """The texts of the held-out slices, from the hex strings of a JSON file."""
    with open(path, encoding="ascii") as file:
        return [bytes.fromhex(s["text_hex"]) for s in json.load(file)["slices"]]


def find(corpus, text):
    """Start and end of a text that stands in the corpus exactly once."""
    start = corpus.find(text)
    if start < 0 or corpus.find(text, start + 1) >= 0:
        raise ValueError("a slice must stand in the corpus exactly once: "
                         f"{text[:40]!r}...")
    return start, start + len(text)


def widen(ranges, margin, size):
    """The ranges with a margin, kept inside the corpus and in order."""
    return sorted((max(0, a - margin), min(size, b + margin))
                  for a, b in ranges)


def pick_dev(corpus, cuts, seed):
    """Ranges for the dev slices: random places clear of every cut."""
    rng = random.Random(seed)
    taken, dev = list(cuts), []
    while len(dev) < DEV_COUNT:
        a = rng.randrange(0, max(1, len(corpus) - DEV_LENGTH))
        b = a + DEV_LENGTH
        near = (a - DEV_MARGIN, b + DEV_MARGIN)
        if all(near[1] <= x or near[0] >= y for x, y in taken):
            dev.append((a, b))
            taken.append(near)
    return dev


def keep(corpus, cuts):
    """What the cuts leave of the corpus, as (start, end) ranges."""
    ranges, at = [], 0
    for a, b in sorted(cuts):
        if a > at:
            ranges.append((at, a))
        at = max(at, b)
    if at < len(corpus):
        ranges.append((at, len(corpus)))
    return ranges


def split_books(pieces):
    """Pieces of text that never run from one book into the next."""
    return [book.strip(b"\n") + b"\n"
            for piece in pieces for book in piece.split(b"\n\n")
            if book.strip(b"\n")]


def split(corpus, slices, seed):
    """(training pieces, dev texts) of a corpus without its held-out slices."""
    size = len(corpus)
    cuts = widen([find(corpus, s) for s in slices], MARGIN, size)
    dev = pick_dev(corpus, cuts, seed)
    cuts = sorted(cuts + widen(dev, DEV_MARGIN, size))
    pieces = [corpus[a:b] for a, b in keep(corpus, cuts)]
    return split_books(pieces), [corpus[a:b] for a, b in dev]

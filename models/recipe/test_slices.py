# SPDX-License-Identifier: MIT
"""The held-out slices are learnt from by nobody.

On a made-up corpus, and on the real one where its path and that of the slices
are given or stand in ../shared: whatever the slices and their margins hold,
the training text and the vocabulary are the same. Standard library only.
"""
import os
import random
import string
import sys
import unittest

import slices
import vocab

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, "..", "..", "..", "shared")
CORPUS = os.path.join(SHARED, "corpus", "tales.txt.xz")
SLICES = os.path.join(SHARED, "fixtures", "tales-heldout.json")
SEED = 1


def words(rng, size, letters):
    """Text of about so many bytes from random words of these letters."""
    known = ["".join(rng.choices(letters, k=rng.randint(2, 7)))
             for _ in range(200)]
    out = []
    while sum(map(len, out)) + len(out) < size:
        out += rng.choices(known, k=100)
    return " ".join(out)[:size].encode()


def made_up(rng):
    """(corpus, slices): three books, each with one slice inside."""
    books, held_out = [], []
    for _ in range(3):
        text = words(rng, 150_000, string.ascii_lowercase)
        at = rng.randrange(20_000, 130_000)
        held_out.append(text[at:at + 3000])
        books.append(text)
    return b"\n\n".join(books) + b"\n", held_out


def overwritten(corpus, held_out, rng):
    """The corpus with other text in every slice and margin; those slices."""
    data, others = bytearray(corpus), []
    for text in held_out:
        a, b = slices.find(corpus, text)
        x, y = slices.widen([(a, b)], slices.MARGIN, len(corpus))[0]
        data[x:y] = words(rng, y - x, string.ascii_uppercase)
        others.append((a, b))
    return bytes(data), [bytes(data[a:b]) for a, b in others]


class Cut(unittest.TestCase):
    def check(self, corpus, held_out, size):
        pieces, dev = slices.split(corpus, held_out, SEED)
        forged, others = overwritten(corpus, held_out, random.Random(2))
        self.assertNotEqual(forged, corpus)
        self.assertEqual(slices.split(forged, others, SEED), (pieces, dev))
        text = b"\n\n".join(pieces)
        for one in held_out:
            a, b = slices.find(corpus, one)
            self.assertNotIn(one, text)
            self.assertNotIn(corpus[a - slices.MARGIN:a], text)
            self.assertNotIn(corpus[b:b + slices.MARGIN], text)
        for one in dev:
            self.assertNotIn(one, text)
        self.assertGreater(len(text), len(corpus) - len(held_out)
                           * (2 * slices.MARGIN + 5000) - 120_000)
        counts = vocab.count(vocab.WORD, pieces)
        self.assertEqual(sum(len(w) * n for w, n in counts.items()),
                         sum(map(len, pieces)))
        return vocab.learn(pieces, size) if size else None

    def test_made_up(self):
        corpus, held_out = made_up(random.Random(1))
        learnt = self.check(corpus, held_out, 400)
        self.assertEqual(len(learnt), 400)
        self.assertEqual(len(set(learnt)), 400)
        upper = set(string.ascii_uppercase.encode())
        forged, others = overwritten(corpus, held_out, random.Random(2))
        again = vocab.learn(slices.split(forged, others, SEED)[0], 400)
        self.assertEqual(learnt, again)
        self.assertFalse([p for p in again if len(p) > 1 and upper & set(p)])

    def test_a_cut_that_fails_is_noticed(self):
        corpus, held_out = made_up(random.Random(1))
        forged, others = overwritten(corpus, held_out, random.Random(2))
        kept = slices.split_books([forged])         # nothing cut out
        self.assertNotEqual(kept, slices.split_books([corpus]))
        with self.assertRaises(ValueError):
            slices.split(corpus, others, SEED)      # not in this corpus
        with self.assertRaises(ValueError):
            slices.split(corpus * 2, held_out, SEED)

    def test_margin_at_the_ends(self):
        self.assertEqual(slices.widen([(10, 20), (90, 95)], 15, 100),
                         [(0, 35), (75, 100)])
        self.assertEqual(slices.keep(b"x" * 50, [(30, 50), (0, 10), (5, 12)]),
                         [(12, 30)])

    def test_encoder(self):
        corpus, held_out = made_up(random.Random(3))
        learnt = vocab.learn(slices.split(corpus, held_out, SEED)[0], 400)
        encoder = vocab.Encoder(learnt)
        data = held_out[0] + bytes(range(256)) + b'  "It\'s." \n'
        ids = encoder.encode(data)
        self.assertEqual(b"".join(learnt[i] for i in ids), data)
        self.assertNotIn(vocab.END, ids)
        whole = vocab.match(data, encoder.ids, encoder.longest)
        self.assertEqual([encoder.ids[p] for p in whole], ids)

    @unittest.skipUnless(len(sys.argv) > 2 or os.path.exists(CORPUS),
                         "the corpus is not here")
    def test_real(self):
        paths = sys.argv[1:3] if len(sys.argv) > 2 else (CORPUS, SLICES)
        corpus, held_out = (slices.read_corpus(paths[0]),
                            slices.read_slices(paths[1]))
        self.assertEqual(len(held_out), 20)
        self.check(corpus, held_out, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

# SPDX-License-Identifier: MIT
"""The vocabulary: 256 single bytes and the most useful pieces of the corpus.

Pieces are learnt by byte-pair merging inside words, more of them than there
is room for; those that greedy longest match then uses least are dropped. No
piece holds a space except at its start, so text may be cut before each space
and every cut-out matched by itself: that is what makes `encode` quick.
"""
import collections
import heapq
import re

END = 0                     # id of `<s>`: control, ends a text
FIRST_PIECE = 257           # ids 1..256 are the bytes 0..255
WORD = re.compile(rb" ?(?:[A-Za-z]+(?:'[A-Za-z]+)*|[0-9]+|[^A-Za-z0-9 ]+)| ")
CHUNK = re.compile(rb" ?[^ ]+| ")
SPARE = 1.3                 # learn so many times the pieces that stay
PRUNE_ROUNDS = 6            # drop the surplus in so many equal shares


def count(pattern, pieces):
    """How often each match of the pattern stands in the training pieces."""
    counts = collections.Counter()
    for piece in pieces:
        counts.update(pattern.findall(piece))
    return counts


class Merger:
    """Byte-pair merging over distinct words, with counts kept up to date."""

    def __init__(self, words):
        self.words = [[bytes([b]) for b in word] for word in words]
        self.counts = list(words.values())
        self.pairs = collections.Counter()
        self.where = collections.defaultdict(set)
        for i in range(len(self.words)):
            self.tally(i, 1)
        self.heap = [(-n, pair) for pair, n in self.pairs.items()]
        heapq.heapify(self.heap)

    def tally(self, i, sign):
        """Add (1) or take away (-1) the pairs of word i; which they are."""
        parts = self.words[i]
        pairs = list(zip(parts, parts[1:]))
        for pair in pairs:
            self.pairs[pair] += sign * self.counts[i]
            self.where[pair].add(i)
        return pairs

    def commonest(self):
        """The commonest pair; heap entries with an old count are skipped."""
        while self.heap:
            n, pair = heapq.heappop(self.heap)
            if self.pairs[pair] == -n:
                return pair
        raise ValueError("the corpus is too small for this vocabulary")

    def merge(self):
        """Join the commonest pair everywhere; the piece that it makes."""
        a, b = self.commonest()
        changed = set()
        for i in self.where.pop((a, b)):
            changed.update(self.tally(i, -1))
            self.words[i] = join(self.words[i], a, b)
            changed.update(self.tally(i, 1))
        for pair in changed:
            if self.pairs[pair] > 0:
                heapq.heappush(self.heap, (-self.pairs[pair], pair))
        return a + b


def join(parts, a, b):
    """The list of parts with each `a` followed by `b` made one."""
    out, i = [], 0
    while i < len(parts):
        if parts[i] == a and i + 1 < len(parts) and parts[i + 1] == b:
            out.append(a + b)
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def match(text, known, longest):
    """Greedy longest match: the pieces of a text, from left to right."""
    out, i = [], 0
    while i < len(text):
        end = min(len(text), i + longest)
        while end > i + 1 and text[i:end] not in known:
            end -= 1
        out.append(text[i:end])
        i = end
    return out


def usage(words, known):
    """How often greedy longest match uses each piece on the words."""
    longest = max(map(len, known), default=1)
    used = collections.Counter()
    for word, times in words.items():
        for piece in match(word, known, longest):
            used[piece] += times
    return used


def learn(pieces, size):
    """The id-ordered byte strings of a vocabulary; id 0 has none."""
    room = size - FIRST_PIECE
    words = count(WORD, pieces)
    merger = Merger(words)
    known = {merger.merge() for _ in range(int(room * SPARE))}
    surplus = len(known) - room
    for left in range(PRUNE_ROUNDS - 1, -1, -1):
        used = usage(words, known)
        ranked = sorted(known, key=lambda p: (-used[p], p))
        known = set(ranked[:room + surplus * left // PRUNE_ROUNDS])
    singles = [bytes([b]) for b in range(256)]
    return [b""] + singles + sorted(known, key=lambda p: (len(p), p))


class Encoder:
    """Text to ids; remembers the ids of each chunk that it has met."""

    def __init__(self, vocabulary):
        self.pieces = vocabulary
        self.ids = {p: i for i, p in enumerate(vocabulary) if p}
        self.longest = max(map(len, self.ids))
        self.memo = {}

    def encode(self, text):
        out = []
        for chunk in CHUNK.findall(text):
            if chunk not in self.memo:
                self.memo[chunk] = [self.ids[p] for p in
                                    match(chunk, self.ids, self.longest)]
            out += self.memo[chunk]
        return out

"""Who is trained on and who is kept aside: by groups of alike pictures, and remembered.

Pictures of one product differ by a crop, a size or a re-encoding, and a split between them would
test on what was trained on. So the split is between groups: connected pictures by fingerprint
distance, joined with equal titles.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.images.fingerprint import BITS
from catalog.models.artefact import SPLIT, Card, ModelRefused
from catalog.models.kept import kept_table
from sql.files import replacing

DISTANCE = 16
"""Bits of the 512 in which fingerprints of one picture may differ; chosen on hand-checked pairs."""

MIDDLE = (2, 5)
"""The words, of a fingerprint's eight, that differ most: the others tell more of the ground."""

CAP = 32
"""Pictures that joining may put in one group: single linkage chains without a bound."""

FOLDS = 5
VALIDATION = 0.125
"""Share of the groups trained on that choose the epoch instead."""

TRAIN, VALIDATE, TEST = "train", "validation", "test"
SIDES = (TRAIN, VALIDATE, TEST)

SCHEMA = pa.schema(
    [
        pa.field("picture", pa.string(), nullable=False),
        pa.field("fingerprint", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("group", pa.int64(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
    ],
    metadata={b"vitrina.table": b"split", b"vitrina.version": b"1"},
)


@dataclass(frozen=True, slots=True)
class Member:
    """A picture under one title, its group, and its side of the split."""

    picture: str
    fingerprint: str
    title: str | None
    group: int = -1
    side: str = ""


def split(members: Sequence[Member], earlier: Sequence[Member] = (), fold: int = 0) -> list[Member]:
    """Give every picture its group and side; earlier pictures that are gone stay, at the end.

    A group with a picture that an earlier model was trained on is trained on; with one that chose
    its epochs, chooses them; with one it was tested on, tests. A new group takes the side of its
    hash, which is that of its smallest fingerprint: `fold` (0 to 4) says which fifth tests.
    """
    here = {(member.picture, member.title) for member in members}
    gone = [member for member in earlier if (member.picture, member.title) not in here]
    everyone = [*members, *gone]
    numbers = groups([x.fingerprint for x in everyone], [x.title for x in everyone])
    sides = _sides(everyone, numbers, {x.picture: x.side for x in earlier}, fold)
    return [
        replace(member, group=int(number), side=sides[int(number)])
        for member, number in zip(everyone, numbers, strict=True)
    ]


def groups(fingerprints: Sequence[str], titles: Sequence[str | None]) -> np.ndarray:
    """Group number of each picture, int64 [n], 0 to k-1.

    Equal fingerprints are one node, however many. Nodes are joined nearest pairs first, then the
    pictures of one title (all or none; the rarest titles first), each unless more than CAP pictures
    would come together. The numbers follow the fingerprints, not the order of the rows.
    """
    if not fingerprints:
        return np.empty(0, np.int64)
    distinct, node, counts = _distinct(codes(fingerprints))
    forest = _Forest(counts.tolist())
    for one, other in _nearest_first(distinct):
        forest.join({one, other})
    nodes_of: dict[str, set[int]] = {}
    for place, title in enumerate(titles):
        if key := " ".join((title or "").casefold().split()):
            nodes_of.setdefault(key, set()).add(int(node[place]))
    for _, key in sorted((len(nodes), key) for key, nodes in nodes_of.items()):
        forest.join(nodes_of[key])
    _, number = np.unique([forest.root(x) for x in range(len(distinct))], return_inverse=True)
    return np.asarray(number[node], np.int64)


def codes(fingerprints: Sequence[str] | np.ndarray) -> np.ndarray:
    """Turn hex fingerprints into uint64 [n, 8]; ValueError when one is of another length."""
    if any(len(fingerprint) != BITS // 4 for fingerprint in fingerprints):
        raise ValueError(f"a fingerprint does not have {BITS} bits")
    raw = bytes.fromhex("".join(fingerprints))
    return np.frombuffer(raw, ">u8").reshape(len(fingerprints), BITS // 64).astype(np.uint64)


def write_split(path: Path, members: Sequence[Member]) -> None:
    """Keep a split, whole."""
    columns = {name: [getattr(member, name) for member in members] for name in SCHEMA.names}
    with replacing(path) as draft:
        pq.write_table(pa.table(columns, SCHEMA), draft, compression="zstd")


def split_of(folder: Path, card: Card) -> list[Member]:
    """The split that a model's folder keeps; ModelRefused when it is not what its card names."""
    return members_in(kept_table(folder, SPLIT, card, SCHEMA))


def members_in(table: pa.Table) -> list[Member]:
    """The members that `write_split` wrote."""
    return [Member(**row) for row in table.to_pylist()]


class TrainedGroups:
    """The picture groups that a model was trained on or chose its epochs by."""

    def __init__(self, split: pa.Table) -> None:
        seen = pc.or_(pc.equal(split["side"], TRAIN), pc.equal(split["side"], VALIDATE))
        distinct = pc.unique(split["fingerprint"].filter(seen)).cast(pa.string())
        self._codes, self._weights = _by_weight(codes(distinct.to_pylist()))
        self._middles = [self._codes[:, word].copy() for word in MIDDLE]

    @classmethod
    def of_model(cls, folder: Path, card: Card) -> Self:
        """Those that a model's folder keeps; ModelRefused when it is not what its card names."""
        columns = ("fingerprint", "side")
        split = kept_table(folder, SPLIT, card, SCHEMA, columns, dictionaries=True)
        try:
            return cls(split)
        except ValueError as error:
            raise ModelRefused(f"{folder / SPLIT} is no split: {error}") from error

    def contains(self, fingerprints: Sequence[str]) -> np.ndarray:
        """Whether each picture is as close to one trained on as a group's are; bool [n]."""
        return np.array([self._near(code) for code in codes(fingerprints)], bool)

    def _near(self, code: np.ndarray) -> bool:
        weight = int(np.bitwise_count(code).sum())
        first, last = np.searchsorted(self._weights, (weight - DISTANCE, weight + DISTANCE + 1))
        one, other = (
            np.bitwise_count(words[first:last] ^ code[word])
            for words, word in zip(self._middles, MIDDLE, strict=True)
        )
        close = self._codes[first:last][one + other <= DISTANCE]
        return bool((np.bitwise_count(close ^ code).sum(axis=1) <= DISTANCE).any())


class _Forest:
    """Disjoint sets of nodes, none grown by joining beyond CAP pictures."""

    def __init__(self, pictures: list[int]) -> None:
        self._pictures = pictures
        self._parent = list(range(len(pictures)))

    def root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def join(self, nodes: set[int]) -> None:
        """Make one set of all these nodes' sets, or leave all as they are."""
        first, *others = sorted({self.root(node) for node in nodes})
        together = sum(self._pictures[root] for root in (first, *others))
        if others and together <= CAP:
            self._pictures[first] = together
            for root in others:
                self._parent[root] = first


def _sides(
    everyone: Sequence[Member], numbers: np.ndarray, earlier: Mapping[str, str], fold: int
) -> dict[int, str]:
    """The side of each group; every side gets a group if there are enough."""
    smallest: dict[int, str] = {}
    remembered: dict[int, set[str]] = {}
    for member, number in zip(everyone, numbers.tolist(), strict=True):
        smallest[number] = min(smallest.get(number, member.fingerprint), member.fingerprint)
        if side := earlier.get(member.picture):
            remembered.setdefault(number, set()).add(side)
    sides = {
        number: next(side for side in SIDES if side in remembered[number])
        if number in remembered
        else _side_of_hash(fingerprint, fold)
        for number, fingerprint in smallest.items()
    }
    new = sorted(smallest.keys() - remembered.keys(), key=lambda number: smallest[number])
    return _without_empty_sides(sides, new)


def _side_of_hash(fingerprint: str, fold: int) -> str:
    digest = hashlib.sha256(fingerprint.encode()).digest()
    if int.from_bytes(digest[:8]) % FOLDS == fold:
        return TEST
    return VALIDATE if int.from_bytes(digest[8:16]) / 2**64 < VALIDATION else TRAIN


def _without_empty_sides(sides: dict[int, str], new: list[int]) -> dict[int, str]:
    """With a handful of groups a hash may leave a side empty: it takes one from the fullest."""
    for side in SIDES:
        fullest, groups_there = Counter(sides.values()).most_common(1)[0]
        movable = [number for number in new if sides[number] == fullest]
        if side not in sides.values() and groups_there > 1 and movable:
            sides[movable[0]] = side
    return sides


def _distinct(code: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different rows of uint64 [n, words] in order; the place of each row's; how often it is."""
    order = np.lexsort(code.T[::-1])
    ordered = code[order]
    new = np.ones(len(code), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.cumsum(new) - 1
    place = np.empty(len(code), np.int64)
    place[order] = number
    return ordered[new], place, np.bincount(number)


def _nearest_first(code: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of rows of uint64 [n, words] at most DISTANCE bits apart, nearest first.

    With the bits dealt to DISTANCE + 1 hands, so close a pair is equal in one hand at least
    (Norouzi, Punjani and Fleet 2012): rows are sorted by each hand in turn, and only those that
    are equal there are compared. They are dealt by chance, for neighbouring bits are alike.
    """
    dealt = np.random.default_rng(0).permutation(BITS)
    found = [np.empty((3, 0), np.int64)]
    for hand in range(DISTANCE + 1):
        for one, other in _equal_pairs(_held(code, dealt[hand :: DISTANCE + 1])):
            apart = np.bitwise_count(code[one] ^ code[other]).sum(axis=1, dtype=np.int64)
            near = apart <= DISTANCE
            found.append(np.stack([apart, *np.sort([one, other], axis=0)])[:, near])
    _, one, other = np.unique(np.concatenate(found, axis=1), axis=1)
    yield from zip(one.tolist(), other.tolist(), strict=True)


def _held(code: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Some bits of each row of uint64 [n, words], 64 at most, together as uint64 [n]."""
    key = np.zeros(len(code), np.uint64)
    for place in places.tolist():
        word, bit = divmod(place, 64)
        key = key << np.uint64(1) | code[:, word] >> np.uint64(bit) & np.uint64(1)
    return key


def _equal_pairs(key: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every pair of places whose keys [n] are equal, at most n pairs at a time."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first, step = np.arange(len(order)), 1
    while len(first):
        first = first[first + step < len(order)]
        first = first[ordered[first] == ordered[first + step]]
        yield order[first], order[first + step]
        step += 1


def _by_weight(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of uint64 [n, words] sorted by how many bits are set, and those counts."""
    weights = np.bitwise_count(code).sum(axis=1, dtype=np.int64)
    order = np.argsort(weights)
    return code[order], weights[order]

"""Alike pictures stay on one side, and the side is remembered."""

import random

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models.splits import (
    CAP,
    DISTANCE,
    SIDES,
    TEST,
    TRAIN,
    VALIDATE,
    Member,
    TrainedGroups,
    groups,
    members_in,
    split,
    write_split,
)

BITS = 512


def code(seed: int) -> int:
    """A fingerprint like no other, as a number."""
    return random.Random(seed).getrandbits(BITS)


def flipped(one: int, bits: int, first: int = 0) -> int:
    """The same code but for `bits` neighbouring bits."""
    return one ^ (((1 << bits) - 1) << first)


def hexed(one: int) -> str:
    """The fingerprint as it is kept."""
    return f"{one:0{BITS // 4}x}"


def members(count: int, titles: dict[int, str] | None = None) -> list[Member]:
    """Pictures that are like no other."""
    return [Member(f"{n:064d}", hexed(code(n)), (titles or {}).get(n)) for n in range(count)]


def test_close_fingerprints_are_one_group():
    """At the distance they are one picture, a bit further they are two."""
    one = code(1)
    near, far = flipped(one, DISTANCE), flipped(one, DISTANCE + 1)
    assert groups([hexed(one), hexed(near)], [None, None]).tolist() == [0, 0]
    assert len(set(groups([hexed(one), hexed(far)], [None, None]).tolist())) == 2


@given(st.integers(0, 2**32 - 1))
def test_no_close_pair_is_missed(seed):
    """Groups are those that comparing all with all gives, a bit more or less apart each."""
    rng = np.random.default_rng(seed)
    alone = rng.integers(0, 256, (6, BITS // 8), np.uint8)
    bits = np.unpackbits(np.repeat(alone, 4, axis=0), axis=1)
    for row in bits:
        row[rng.choice(BITS, rng.integers(0, 14), replace=False)] ^= 1
    near = (bits[:, None] != bits[None]).sum(axis=2) <= DISTANCE
    together = np.linalg.matrix_power(near.astype(np.int64), len(bits)) > 0
    found = groups([row.tobytes().hex() for row in np.packbits(bits, axis=1)], [None] * len(bits))
    assert (found[:, None] == found[None]).tolist() == together.tolist()
    assert 6 <= len(set(found.tolist())) < len(bits)


def test_equal_titles_are_one_group():
    """Titles are compared without case and spacing; no title is like no title."""
    prints = [hexed(code(n)) for n in range(4)]
    found = groups(prints, ["Blue  Shirt", "blue shirt", None, None])
    assert found[0] == found[1]
    assert len(set(found.tolist())) == 3


def test_chain_stops_at_the_cap():
    """Linked one by one, a hundred pictures never end up in one group."""
    chain = [code(1)]
    for step in range(99):
        chain.append(flipped(chain[-1], 5, first=5 * step))
    sizes = np.bincount(groups([hexed(one) for one in chain], [None] * 100))
    assert sizes.max() <= CAP
    assert len(sizes) > 1


def test_equal_fingerprints_are_never_divided():
    """A hundred copies are one picture, whatever the cap."""
    assert set(groups([hexed(code(1))] * 100, [None] * 100).tolist()) == {0}


def test_groups_do_not_depend_on_the_order():
    """A reshuffled catalogue has the same groups under the same numbers."""
    prints = [hexed(flipped(code(n // 3), n % 3 * 7)) for n in range(60)]
    titles = [f"title {n % 17}" if n % 2 else None for n in range(60)]
    order = random.Random(5).sample(range(60), 60)
    found = groups(prints, titles)
    again = groups([prints[n] for n in order], [titles[n] for n in order])
    assert again.tolist() == found[order].tolist()


def test_groups_of_nothing():
    """No pictures have no groups."""
    assert len(groups([], [])) == 0


def test_about_a_fifth_is_tested_and_an_eighth_of_the_rest_validates():
    """The hash shares out the groups as promised."""
    sides = [member.side for member in split(members(4000))]
    assert abs(sides.count(TEST) / 4000 - 0.2) < 0.02
    assert abs(sides.count(VALIDATE) / 4000 - 0.1) < 0.02


def test_five_folds_test_each_picture_once():
    """Over the folds every picture is on the test side exactly once."""
    folds = [split(members(200), fold=fold) for fold in range(5)]
    tested = [sum(fold[n].side == TEST for fold in folds) for n in range(200)]
    assert tested == [1] * 200


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_group_is_never_divided(seed):
    """Whatever the pictures and titles, a group has one side."""
    chance = random.Random(seed)
    near = [hexed(flipped(code(chance.randrange(9)), chance.randrange(30))) for _ in range(40)]
    crowd = [Member(f"{n}", near[n], chance.choice(["a", "b", None])) for n in range(40)]
    side_of = {}
    for member in split(crowd):
        assert side_of.setdefault(member.group, member.side) == member.side


def test_every_side_gets_a_group_when_there_are_three():
    """A small catalogue is not left without a test."""
    for seed in range(30):
        few = [Member(f"{n}", hexed(code(100 * seed + n)), None) for n in range(3)]
        assert {member.side for member in split(few)} == set(SIDES)


def test_side_is_remembered():
    """Trained on once, trained on for ever, and so is what joins its group; tested likewise."""
    first = split(members(50))
    twins = [
        Member(f"twin {member.picture}", hexed(flipped(int(member.fingerprint, 16), 3)), None)
        for member in first
    ]
    second = split([*members(50), *twins], earlier=first, fold=3)
    assert [member.side for member in second[:50]] == [member.side for member in first]
    assert [member.side for member in second[50:100]] == [member.side for member in first]


def test_bridge_between_sides_is_trained_on():
    """When a new title joins a tested and a trained picture, both are trained on from then on."""
    first = split(members(50))
    tested = next(n for n, member in enumerate(first) if member.side == TEST)
    trained = next(n for n, member in enumerate(first) if member.side == TRAIN)
    titled = members(50, {tested: "the same", trained: "the same"})
    second = split(titled, earlier=first)
    assert second[tested].side == second[trained].side == TRAIN


def test_gone_pictures_are_remembered():
    """A picture that left the catalogue keeps its side, for the day it comes back."""
    first = split(members(50))
    second = split(members(10), earlier=first)
    third = split(members(50), earlier=second, fold=2)
    assert {m.picture: m.side for m in third} == {m.picture: m.side for m in first}


def test_split_file_round_trip(tmp_path):
    """What was written is what is read."""
    found = split(members(20, {3: "Blue Shirt"}))
    write_split(tmp_path / "split.parquet", found)
    assert members_in(pq.read_table(tmp_path / "split.parquet")) == found


def test_trained_groups_know_their_likes(tmp_path):
    """What is as close as a group's pictures to one trained on counts as trained on."""
    found = split(members(300))
    write_split(tmp_path / "split.parquet", found)
    known = TrainedGroups(pq.read_table(tmp_path / "split.parquet"))
    shift = [hexed(flipped(int(member.fingerprint, 16), DISTANCE, 100)) for member in found]
    further = [hexed(flipped(int(member.fingerprint, 16), DISTANCE + 1)) for member in found]
    expected = [member.side != TEST for member in found]
    assert known.contains([member.fingerprint for member in found]).tolist() == expected
    assert known.contains(shift).tolist() == expected
    assert not known.contains(further).any()


def test_trained_groups_of_nothing(tmp_path):
    """An empty batch, and an empty split, have an answer too."""
    write_split(tmp_path / "split.parquet", split(members(30)))
    assert TrainedGroups(pq.read_table(tmp_path / "split.parquet")).contains([]).tolist() == []
    write_split(tmp_path / "none.parquet", [])
    assert TrainedGroups(pq.read_table(tmp_path / "none.parquet")).contains(
        [hexed(code(1))]
    ).tolist() == [False]


def test_fingerprints_of_different_lengths_are_refused():
    """Another definition's fingerprint is never compared with ours."""
    with pytest.raises(ValueError, match="512 bits"):
        groups(["ab" * 64, "ab" * 32], [None, None])

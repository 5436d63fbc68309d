"""The laws of the split and of the accounting, on made-up findings without pictures."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens.data import SPLITS
from convlens.data.curate import CONFLICT, curate
from convlens.data.layout import Place
from convlens.data.scan import Scan
from convlens.data.split import SplitRule, draw
from convlens.errors import InputError
from convlens.params import SplitSizes

CLASSES = ("cat", "dog")

FAR = 0x0123456789ABCDEF
FRACTIONS = SplitSizes(train=0.5, validation=0.2, test=0.2)
COUNTS = SplitSizes(train=6, validation=2, test=3)


@st.composite
def collections(draw_from, splits=(None,)):
    """Scans with their places: contents repeat, look alike, are bad, and lie in any folder."""
    entries = draw_from(
        st.lists(
            st.tuples(
                st.integers(0, 30),  # the content
                st.sampled_from(CLASSES),
                st.sampled_from(splits),
                st.sampled_from((None, None, None, None, "empty", "truncated")),
            ),
            max_size=40,
        )
    )
    scans, places = [], {}
    for number, (content, label, split, reason) in enumerate(entries):
        path = f"{split}/{label}/{number}.jpg"
        look = content // 2  # contents 2k and 2k + 1 are one photo saved twice
        scans.append(
            Scan(
                path, f"{content:064x}", reason, phash=FAR * (look + 1) % 2**64,
                thumb=bytes([look * 17 % 256]) * 256,
            )
        )  # fmt: skip
        places[path] = Place(label, split)
    return scans, places


def rules(sizes: SplitSizes = FRACTIONS, seed: int = 1, own=()) -> SplitRule:
    return SplitRule(sizes, seed, own)


ANY_RULE = st.builds(
    rules, st.sampled_from((FRACTIONS, COUNTS)), st.integers(0, 5), st.just(())
)  # fmt: skip
OWN = ("train", "validation", "test")


@settings(max_examples=200, deadline=None)
@given(collections(splits=(None,)), ANY_RULE)
def test_every_photo_ends_in_exactly_one_place(collection, rule) -> None:
    scans, places = collection
    result = curate(scans, places, rule)
    ends = [kept.scan.path for kept in result.manifest]
    ends += [bad.path for bad in result.quarantine]
    ends += [dropped.path for dropped in result.duplicates]
    ends += result.unused
    assert sorted(ends) == sorted(places)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.tuples(collections(splits=(None,)), ANY_RULE),
        st.tuples(collections(splits=OWN), st.just(rules(own=OWN))),
        st.tuples(collections(splits=OWN[:2]), st.just(rules(COUNTS, own=OWN[:2]))),
    )
)
def test_no_group_and_no_content_spans_two_splits_or_labels(case) -> None:
    (scans, places), rule = case
    result = curate(scans, places, rule)
    homes: dict[str, set[tuple[str, str]]] = {}
    for kept in result.manifest:
        look = int(kept.scan.sha256, 16) // 2
        homes.setdefault(str(look), set()).add((kept.split, kept.label))
    assert all(len(places) == 1 for places in homes.values())
    contents = [kept.scan.sha256 for kept in result.manifest]
    assert len(contents) == len(set(contents))
    used = {kept.scan.path for kept in result.manifest}
    assert all(dropped.kept in used for dropped in result.duplicates)


@settings(max_examples=200, deadline=None)
@given(collections(), collections(), ANY_RULE)
def test_adding_photos_moves_no_photo_to_another_split(first, more, rule) -> None:
    scans, places = first
    added = [replace(scan, path=f"more/{scan.path}") for scan in more[0]]
    wider = places | {f"more/{path}": place for path, place in more[1].items()}
    before = {kept.scan.sha256: kept.split for kept in curate(scans, places, rule).manifest}
    after = {kept.scan.sha256: kept.split for kept in curate(scans + added, wider, rule).manifest}
    assert all(after.get(content, split) == split for content, split in before.items())


@settings(max_examples=200, deadline=None)
@given(collections(splits=(None, *OWN)), st.randoms(), st.sampled_from(((), OWN, OWN[:2])))
def test_order_of_the_entries_does_not_matter(collection, random, own) -> None:
    scans, places = collection
    if own:
        scans = [scan for scan in scans if places[scan.path].split in own]
    shuffled = random.sample(scans, len(scans))
    rule = rules(own=own)
    one, other = curate(scans, places, rule), curate(shuffled, places, rule)
    assert (one.manifest, one.duplicates, one.quarantine) == (
        other.manifest, other.duplicates, other.quarantine,
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(collections(splits=OWN))
def test_the_archives_own_splits_stand_and_test_wins(collection) -> None:
    scans, places = collection
    result = curate(scans, places, rules(own=OWN))
    assert all(kept.split == places[kept.scan.path].split for kept in result.manifest)
    strength = {"test": 0, "validation": 1, "train": 2}
    stays = {kept.scan.path: strength[kept.split] for kept in result.manifest}
    assert all(stays[d.kept] <= strength[d.split] for d in result.duplicates)


@settings(max_examples=200, deadline=None)
@given(collections(), st.integers(0, 9))
def test_counts_are_never_exceeded_and_never_wasted(collection, seed) -> None:
    scans, places = collection
    rule = rules(COUNTS, seed)
    result = curate(scans, places, rule)
    for split in SPLITS:
        limit = getattr(COUNTS, split)
        assert all(result.counts[split, label] <= limit for label in CLASSES)
    contents = {scan.path: scan.sha256 for scan in scans}
    for path in result.unused:
        home = rule.home(contents[path], None)
        assert home is not None
        assert result.counts[home, places[path].label] == getattr(COUNTS, home)


def test_fractions_are_met_in_both_classes() -> None:
    contents = [f"{n:064x}" for n in range(20_000)]
    rule = rules(SplitSizes(train=0.6, validation=0.25, test=0.1))
    homes = [rule.home(content, None) for content in contents]
    for split, share in (("train", 0.6), ("validation", 0.25), ("test", 0.1), (None, 0.05)):
        five_sigma = 5 * (share * (1 - share) / len(contents)) ** 0.5
        assert homes.count(split) / len(contents) == pytest.approx(share, abs=five_sigma)


def test_draws_are_pinned() -> None:
    # a changed draw would move every photo of everybody
    assert draw("00" * 32, 7) == 0.6470409677646494
    assert rules(seed=1).home("ab" * 32, None) != rules(seed=3).home("ab" * 32, None)


def test_missing_test_split_is_carved_out_of_validation_only() -> None:
    rule = rules(own=("train", "validation"))
    contents = [f"{n:064x}" for n in range(2000)]
    assert {rule.home(content, "train") for content in contents} == {"train"}
    carved = [rule.home(content, "validation") for content in contents]
    assert set(carved) == {"validation", "test"}
    assert carved.count("test") == pytest.approx(1000, abs=120)
    assert "test carved out of validation" in rule.text


def test_both_labels_quarantine_every_copy() -> None:
    scans = [Scan(path, "aa", None, thumb=bytes(256)) for path in ("cat/1", "cat/2", "dog/1")]
    places = {"cat/1": Place("cat", None), "cat/2": Place("cat", None), "dog/1": Place("dog", None)}
    result = curate(scans, places, rules())
    assert [(bad.path, bad.reason) for bad in result.quarantine] == [
        (path, CONFLICT) for path in ("cat/1", "cat/2", "dog/1")
    ]


def test_a_bucket_that_is_too_small_says_what_would_fit() -> None:
    got = {(s, c): 4 for s in SPLITS for c in CLASSES} | {("train", "dog"): 5, ("train", "cat"): 9}
    with pytest.raises(InputError, match=r"(?s)at least 6 .* dog.*train 5, validation 4, test 4"):
        rules(COUNTS).check(got, {})


def test_a_closed_leak_does_not_make_an_archives_own_split_too_small() -> None:
    got = {(s, c): 6 for s in SPLITS for c in CLASSES} | {("train", "cat"): 5}
    offered = {(s, c): 6 for s in SPLITS for c in CLASSES}
    rules(COUNTS, own=OWN).check(got, offered)
    with pytest.raises(InputError, match=r"data\.split\.train"):
        rules(COUNTS, own=OWN).check(got, offered | {("train", "cat"): 5})

"""Groups of photos: what is equal, what is near, and what only has a similar hash."""

import numpy as np
import pytest
from archives import encoded, photo, picture
from PIL import Image

from convlens.data.decode import decode
from convlens.data.duplicates import BLOCK, NEAR_BITS, NEAR_LEVELS, groups, perceptual_hash
from convlens.data.scan import Scan


def seen(content: int, phash: int, level: int = 100) -> Scan:
    digest = f"{content:016x}".ljust(64, "0")
    return Scan(f"{content}.jpg", digest, None, phash=phash, thumb=bytes([level] * 256))


@pytest.mark.parametrize(
    ("bits", "levels", "together"),
    [
        (0, 0, True),
        (NEAR_BITS, NEAR_LEVELS, True),
        (NEAR_BITS + 1, 0, False),
        (10, 0, False),  # likewise
        (0, NEAR_LEVELS + 1, False),
        (0, 19, False),  # as near as strangers come among real photos
    ],
)
def test_both_the_hash_and_the_thumbnail_must_be_near(bits, levels, together) -> None:
    one, other = groups([seen(1, 0), seen(2, 2**bits - 1, 100 + int(levels))])
    assert (one == other) is together


def test_a_chain_of_near_photos_is_one_group_named_by_its_smallest_digest() -> None:
    chain = [seen(3 - n, 2 ** (NEAR_BITS * n) - 1) for n in range(3)]
    assert groups(chain) == [f"{1:016x}"] * 3


def test_pairs_are_found_across_blocks() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 3 * BLOCK).tolist()
    photos = [seen(n, value) for n, value in enumerate(hashes)]
    photos.append(seen(len(photos), hashes[5] ^ 0b1010))
    found = groups(photos)
    assert found[-1] == found[5]
    assert len(set(found)) == len(photos) - 1


def test_thousands_of_copies_of_one_photo_are_no_burden() -> None:
    assert len(set(groups([seen(7, 1)] * 20_000))) == 1


def test_no_photos_no_groups() -> None:
    assert groups([]) == []


def hash_of(content: bytes) -> int:
    return perceptual_hash(Image.fromarray(decode(content, 32).pixels).convert("L"))


def test_hash_is_zero_for_blank_pictures_and_stable_for_the_others() -> None:
    assert hash_of(encoded(Image.new("RGB", (50, 50), "teal"), "PNG")) == 0
    image = picture("hash")
    sharp, coarse = (hash_of(encoded(image, quality=q)) for q in (95, 40))
    other = hash_of(photo("other"))
    assert (sharp ^ coarse).bit_count() <= 8 < (sharp ^ other).bit_count()

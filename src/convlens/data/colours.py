"""Colours of wide profiles, as phones and cameras write them, into sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_LARGEST = 2**20  # bytes of a profile
_SAME = 4  # grey levels: nearer to sRGB than this, a profile is one more spelling of it
_LEVELS = (0, 51, 102, 153, 204, 255)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an RGB image in sRGB; untouched without a profile, or with one that means sRGB.

    An unreadable profile, or one of another colour space, counts as none.
    """
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _LARGEST:
        return image
    change = _change(profile)
    return image if change is None else ImageCms.applyTransform(image, change) or image


@lru_cache(maxsize=8)  # a camera's photos all have its profile
def _change(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if given.profile.xcolor_space.strip() != "RGB":
            return None
        change = ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), "RGB", "RGB")
        probe = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS), -1).reshape(1, -1, 3)
        seen = ImageCms.applyTransform(Image.fromarray(probe.astype(np.uint8)), change)
        moved = np.abs(np.asarray(seen, int) - probe).max()
    except Exception:  # a hostile profile can raise anything
        return None
    return None if moved <= _SAME else change

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.labels import EMOTIONS
from core.palette import DARK, LIGHT, OWN_DARK, OWN_LIGHT, colours_for

OWN = ("frustrated", "excited", "disappointed", "embarrassed", "proud", "anxious", "relieved")


def lab(colour: str) -> np.ndarray:
    """CIE L*a*b* of #RRGGBB under D65."""
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ c / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(("known", "own"), [(LIGHT, OWN_LIGHT), (DARK, OWN_DARK)])
def test_every_two_colours_can_be_told_apart(known: dict[str, str], own: tuple[str, ...]) -> None:
    pairs = itertools.combinations((*known.values(), *own), 2)
    assert min(float(np.linalg.norm(lab(a) - lab(b))) for a, b in pairs) > 20


def test_our_classes_keep_their_colours_in_any_company() -> None:
    assert colours_for(EMOTIONS) == dict(LIGHT)
    assert colours_for((*EMOTIONS, *OWN), dark=True).items() >= DARK.items()


def test_classes_of_the_users_own_get_one_each_whatever_their_order() -> None:
    colours = colours_for((*EMOTIONS, *OWN))
    assert len(set(colours.values())) == len(EMOTIONS) + len(OWN)
    assert colours == colours_for((*reversed(OWN), *EMOTIONS))


def test_a_class_keeps_its_colour_where_nobody_is_in_its_way() -> None:
    alone = {label: colours_for((label,))[label] for label in OWN}
    together = colours_for(OWN)
    assert sum(alone[label] == together[label] for label in OWN) >= 2
    assert colours_for(("excited", "happy"))["excited"] == alone["excited"]


def test_more_classes_than_colours_still_have_one() -> None:
    many = tuple(f"class{i}" for i in range(20))
    assert set(colours_for(many)) == set(many)

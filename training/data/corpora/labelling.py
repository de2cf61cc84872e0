"""How a corpus's own labels become the labels of its examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.label_maps import load_label_map

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "calm": "neutral",
        "neutrality": "neutral",
        "neu": "neutral",
        "happiness": "happy",
        "joy": "happy",
        "joyful": "happy",
        "hap": "happy",
        "anger": "angry",
        "ang": "angry",
        "sadness": "sad",
        "fearful": "fear",
        "scared": "fear",
        "afraid": "fear",
        "anxiety": "fear",
        "fea": "fear",
        "surprised": "surprise",
        "sur": "surprise",
        "disgusted": "disgust",
        "disqust": "disgust",  # so spelled in KEMDy19 and KEMDy20
        "dis": "disgust",
        "중립": "neutral",
        "기쁨": "happy",
        "행복": "happy",
        "분노": "angry",
        "놀람": "surprise",
        "슬픔": "sad",
        "공포": "fear",
        "두려움": "fear",
        "혐오": "disgust",
    }
)
"""Names that corpora use for one of our classes; calm counts as neutral (RAVDESS)."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """Every label of a corpus and the class it stands for, None where it is left out on purpose.

    `classes` are the names that can result, in order; empty: `core.labels.EMOTIONS`.
    """

    targets: Mapping[str, str | None]
    classes: tuple[str, ...] = ()

    def of(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the classes of a row in the order of the classes; empty: all are left out.

        Raises ValueError: a label that the corpus does not have.
        """
        found = {self._target(label) for label in labels}
        return tuple(name for name in self.classes or EMOTIONS if name in found)

    def _target(self, label: str) -> str | None:
        for name in (label, label.casefold()):
            if name in self.targets:
                return self.targets[name]
        known = ", ".join(self.targets)
        raise ValueError(f"the label {label!r} is none of this corpus's ({known})")


def from_map(name: str | Path) -> Labelling:
    """Return a label map of training/configs/labels by name, or of a YAML file by path."""
    if isinstance(name, Path) or name.endswith((".yaml", ".yml")):
        path = Path(name)
        return Labelling(load_label_map(path.stem, path.parent).targets)
    return Labelling(load_label_map(name).targets)


def from_mapping(mapping: Mapping[str, str | None]) -> Labelling:
    """Return label -> class as given; classes of ours come first and in our order."""
    names = {name for name in mapping.values() if name is not None}
    return Labelling(dict(mapping), ordered(names))


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Return class names in a fixed order, ours first; empty if all of them are ours."""
    present = set(names)
    others = sorted(present - set(EMOTIONS))
    return (*(name for name in EMOTIONS if name in present), *others) if others else ()


def own(names: Sequence[str], spellings: Mapping[str, str] | None = None) -> Labelling:
    """Return a labelling that keeps the corpus's own classes.

    Args:
        names: the classes, in order.
        spellings: other spellings found in its files -> name.
    """
    targets: dict[str, str | None] = {name: name for name in names}
    targets.update(spellings or {})
    return Labelling(targets, tuple(names))


def choose(corpus: str, name: str | int, table: Mapping[str, Labelling]) -> Labelling:
    """Return the labelling `name` of a corpus: one of `table`, or "emotions", its label map.

    Raises CorpusError: there is no such choice.
    """
    if str(name) == "emotions":
        return from_map(corpus)
    if str(name) not in table:
        known = ", ".join(("emotions", *table))
        raise CorpusError(f"{corpus} has no classes {name!r}.", f"Choose one of {known}.")
    return table[str(name)]


def one_of(corpus: str, option: str, value: str, known: Sequence[str]) -> str:
    """Return an option's value. Raises CorpusError naming the values there are."""
    if value not in known:
        raise CorpusError(
            f"The option {option} of {corpus} can't be {value!r}.",
            f"Choose one of {', '.join(known)}.",
        )
    return value


def chosen_parts(corpus: str, parts: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the option parts, one name or several. Raises CorpusError for another part."""
    names = (parts,) if isinstance(parts, str) else tuple(parts)
    return tuple(one_of(corpus, "parts", name, known) for name in names)


def within(corpus: str, name: str) -> str:
    """Return `corpus/name`, so that equal names of two corpora differ; empty stays empty."""
    return f"{corpus}/{name}" if name else ""

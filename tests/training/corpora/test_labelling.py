from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora import (
    crema_d,
    emorynlp,
    emotiontts_ko,
    iemocap,
    labelling,
    meld,
    nemo,
    ravdess,
)
from training.data.corpora.labelling import SYNONYMS, Labelling, choose, from_map

READERS = (iemocap, meld, emorynlp, crema_d, ravdess, nemo, emotiontts_ko)


def test_synonyms_lead_to_our_classes() -> None:
    assert set(SYNONYMS.values()) <= set(EMOTIONS)
    assert not set(SYNONYMS) & set(EMOTIONS)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.CORPUS)
def test_a_corpus_has_the_same_labels_in_its_map_and_in_its_own_classes(reader) -> None:  # type: ignore[no-untyped-def]
    """A label that one of the choices does not know would be a malformed row only there."""
    ours = from_map(reader.CORPUS)
    for name, other in reader.LABELLINGS.items():
        unknown = set(ours.targets) ^ set(other.targets)
        assert {label.casefold() for label in unknown} <= set(other.classes) | set(EMOTIONS) | {
            *("일반", "기쁨", "화남", "슬픔")
        }, name
        assert {target for target in other.targets.values() if target} == set(other.classes)


def test_labels_come_in_the_order_of_the_classes() -> None:
    chosen = Labelling({"j": "joy", "b": "boredom", "x": None}, ("boredom", "joy"))
    assert chosen.of(["j", "x", "b", "j"]) == ("boredom", "joy")
    assert chosen.of(["x"]) == ()
    assert from_map("meld").of(["sadness", "joy"]) == ("happy", "sad")


def test_case_does_not_matter_where_it_says_nothing() -> None:
    assert from_map("meld").of(["Joy"]) == ("happy",)
    with pytest.raises(ValueError, match="'boredom' is none of this corpus's"):
        from_map("meld").of(["boredom"])


def test_classes_of_ours_need_no_names() -> None:
    assert labelling.ordered(["sad", "happy"]) == ()
    assert labelling.ordered(["zeal", "sad", "happy", "awe"]) == ("happy", "sad", "awe", "zeal")


def test_an_unknown_choice_lists_those_there_are() -> None:
    with pytest.raises(CorpusError, match=r"no classes 'eight'.*emotions, own"):
        choose("ravdess", "eight", ravdess.LABELLINGS)


def test_a_map_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("corpus: c\nsource: s\nmap: {sad: [blue]}\n", encoding="utf-8")
    assert from_map(path).of(["blue"]) == from_map(str(path)).of(["blue"]) == ("sad",)

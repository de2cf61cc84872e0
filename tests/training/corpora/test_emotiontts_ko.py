from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.emotiontts_ko import read
from training.data.corpora.registry import read_corpus

from .recordings import write_wav

EMOTIONAL = {
    1: "신청해주세요.",
    101: "꼭 꿈만 같아.",
    201: "정말 마음이 아프다.",
    301: "놀기만 할 거니?",
}
PLAIN = dict.fromkeys((1, 101, 201, 301), "홍수로 인해 대피하였습니다.")


def write_speaker(root: Path, subset: str, speaker: str, texts: dict[int, str]) -> None:
    folder = root / subset / speaker
    for number, text in texts.items():
        name = f"{speaker}{number:05d}"
        write_wav(folder / "wav" / f"{name}.wav")
        for kind in ("script", "transcript"):
            path = folder / kind / f"{name}.txt"
            path.parent.mkdir(exist_ok=True)
            spelt = text if kind == "script" else f"{text} (철자)"
            path.write_text(f"\ufeff{spelt}\n", encoding="utf-8")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    root = tmp_path / "Dataset" / "SpeechCorpus" / "Emotional"
    write_speaker(root, "emotional-to-emotional", "nea", EMOTIONAL)
    write_speaker(root, "emotional-to-emotional", "nek", EMOTIONAL)
    write_speaker(root, "plain-to-emotional", "ema", PLAIN)
    main = tmp_path / "Dataset" / "SpeechCorpus" / "Main" / "nfa"  # other voices, no emotion
    write_wav(main / "wav" / "nfa00001.wav")
    return tmp_path


def test_the_third_hundred_is_sad_and_the_fourth_angry(corpus: Path) -> None:
    reading = read_corpus("emotiontts_ko", corpus, strict=True)
    labels = {example.id: example.label for example in reading.examples}
    assert labels["nea00201"] == "sad"  # the README says angry; the script is of a broken heart
    assert labels["nea00301"] == "angry"
    assert (labels["nea00001"], labels["nea00101"]) == ("neutral", "happy")
    assert len(reading.examples) == 12


def test_text_speaker_and_gender(corpus: Path) -> None:
    examples = {example.id: example for example in read(corpus).examples}
    assert examples["nea00201"].text == "정말 마음이 아프다."
    assert (examples["nea00201"].gender, examples["nek00201"].gender) == ("F", "M")
    assert examples["nek00201"].speaker == "emotiontts_ko/nek"
    assert read(corpus, text="transcript").examples[0].text == "신청해주세요. (철자)"


def test_one_way_of_recording_can_be_chosen(corpus: Path) -> None:
    plain = read(corpus, subset="plain-to-emotional").examples
    assert {example.speaker for example in plain} == {"emotiontts_ko/ema"}
    assert len({example.text for example in plain}) == 1
    assert len(read(corpus, subset="emotional-to-emotional").examples) == 8
    assert read(corpus, classes="own").classes == ("neutral", "happy", "angry", "sad")


def test_bad_recordings_are_reported(corpus: Path) -> None:
    folder = corpus / "Dataset" / "SpeechCorpus" / "Emotional" / "emotional-to-emotional" / "nea"
    (folder / "script" / "nea00001.txt").unlink()
    (folder / "script" / "nea00101.txt").write_bytes(b" \n")
    (folder / "script" / "nea00201.txt").write_bytes("마음이 아프다.".encode("cp949"))
    for name in ("nea00401", "nez00001", "nek00002", "nea1"):
        write_wav(folder / "wav" / f"{name}.wav")
    reading = read(corpus)
    reasons = {Path(p.source).stem: p.reason for p in reading.problems}
    assert "nea00001.txt can't be read" in reasons["nea00001"]
    assert reasons["nea00101"].endswith("nea00101.txt is empty")
    assert "number up to 00400" in reasons["nea00401"]
    assert "there is no speaker nez" in reasons["nez00001"]
    assert "the folder is nea's" in reasons["nek00002"]
    assert "nea1" in reasons
    assert {e.text for e in reading.examples if e.id == "nea00201"} == {"마음이 아프다."}
    with pytest.raises(CorpusError, match="nea00001"):
        read(corpus, strict=True)


def test_unknown_options_are_refused(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="plain-to-emotional"):
        read(corpus, subset="plain")
    with pytest.raises(CorpusError, match="script, transcript"):
        read(corpus, text="both")


@pytest.mark.real_data
def test_the_cut_corpus_is_read(shared_data: Path) -> None:
    reading = read_corpus("emotiontts_ko", shared_data / "speech", strict=True)
    assert len(reading.examples) == 240
    assert Counter(e.label for e in reading.examples) == dict.fromkeys(
        ("neutral", "happy", "sad", "angry"), 60
    )
    assert len({e.speaker for e in reading.examples}) == 12
    plain = read(shared_data / "speech", subset="plain-to-emotional").examples
    assert (len(plain), len({e.text for e in plain})) == (80, 5)

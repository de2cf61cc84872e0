from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora.iemocap import LABELLINGS, read, style_of
from training.data.corpora.registry import read_corpus
from training.data.example import Example, Reading

from .recordings import write_wav

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
IMPRO = "Ses01F_impro01"
SCRIPT = "Ses05M_script01_1b"


def evaluation(start: float, end: float, name: str, label: str, affect: str) -> str:
    """A block of EmoEvaluation as released: the summary, then single annotators."""
    return (
        f"[{start:.4f} - {end:.4f}]\t{name}\t{label}\t[{affect}]\n"
        "C-E2:\tNeutral;\t()\nC-F1:\tNeutral; Anger;\t(curious)\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  1;\t()\n\n"
    )


def write_dialogue(root: Path, name: str, rows: list[tuple[str, str, str]]) -> Path:
    """Write (utterance, label, affect) rows of a dialogue, an utterance every two seconds."""
    session = root / f"Session{int(name[3:5])}"
    table = session / "dialog" / "EmoEvaluation" / f"{name}.txt"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(
        HEADER + "".join(evaluation(2 * k + 0.29, 2 * k + 1.5, *row) for k, row in enumerate(rows)),
        encoding="cp1252",
    )
    transcript = session / "dialog" / "transcriptions" / f"{name}.txt"
    transcript.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{row[0]} [00{k}.2901-00{k}.5000]: Line {k}: it's so." for k, row in enumerate(rows)]
    lines.insert(1, "F: (LAUGHTER)")
    lines.append(f"{name}_FXX0 [060.0000-061.0000]: not evaluated")
    transcript.write_text("\n".join(lines) + "\n", encoding="cp1252")
    for row in rows:
        write_wav(session / "sentences" / "wav" / name / f"{row[0]}.wav", 1.2)
    write_wav(session / "dialog" / "wav" / f"{name}.wav", 2.0 * len(rows) + 1, channels=2)
    return table


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two sessions: an improvised dialogue with every code, and a scripted one."""
    codes = ["neu", "exc", "hap", "ang", "fru", "sad", "xxx", "sur", "fea", "dis", "oth"]
    rows = [
        (f"{IMPRO}_{'FM'[k % 2]}{k // 2:03d}", code, "2.5000, 4.0000, 2.0000")
        for k, code in enumerate(codes)
    ]
    write_dialogue(tmp_path, IMPRO, rows)
    write_dialogue(tmp_path, SCRIPT, [(f"{SCRIPT}_M000", "ang", "1.0000, 5.5000, 4.5000")])
    junk = tmp_path / "Session1" / "dialog" / "EmoEvaluation"
    (junk / f"._{IMPRO}.txt").write_bytes(b"\x00\x05\x16\x07")
    (junk / "Categorical").mkdir()
    (junk / "Categorical" / f"{IMPRO}_e1_cat.txt").write_text("not read", encoding="utf-8")
    return tmp_path


def labels(reading: Reading) -> Counter[str]:
    return Counter(label for example in reading.examples for label in example.labels)


def named(reading: Reading, name: str) -> Example:
    return next(example for example in reading.examples if example.id == name)


def test_an_utterance_is_read_whole(corpus: Path) -> None:
    reading = read_corpus("iemocap", corpus)
    first = reading.examples[0]
    assert first.id == f"{IMPRO}_F000"
    assert first.audio == corpus / "Session1/sentences/wav" / IMPRO / f"{IMPRO}_F000.wav"
    assert (first.start, first.end, first.channel) == (None, None, None)
    assert first.text == "Line 0: it's so."
    assert (first.speaker, first.gender) == ("iemocap/Ses01F", "F")
    assert (first.session, first.dialogue) == ("iemocap/Session1", f"iemocap/{IMPRO}")
    assert (first.valence, first.arousal) == (-0.25, 0.5)
    assert first.source == f"{corpus}/Session1/dialog/EmoEvaluation/{IMPRO}.txt:3"
    assert reading.problems == ()


def test_the_seven_classes_take_excited_as_happy_and_leave_frustration_out(corpus: Path) -> None:
    reading = read(corpus)
    assert labels(reading) == {
        **dict.fromkeys(EMOTIONS, 1),
        "happy": 2,
        "angry": 2,
    }
    assert reading.classes == ()


def test_four_and_six_classes_are_those_of_the_literature(corpus: Path) -> None:
    four, six = read(corpus, classes=4), read(corpus, classes="6")
    assert labels(four) == {"happy": 2, "angry": 2, "neutral": 1, "sad": 1}
    assert four.classes == ("neutral", "happy", "angry", "sad")
    assert labels(six) == dict.fromkeys(six.classes, 1) | {"angry": 2}
    assert six.classes == ("happy", "sad", "neutral", "angry", "excited", "frustrated")


def test_the_published_counts_come_out() -> None:
    release = Counter(
        xxx=2507,
        fru=1849,
        neu=1708,
        ang=1103,
        sad=1084,
        exc=1041,
        hap=595,
        sur=107,
        fea=40,
        oth=3,
        dis=2,
    )  # all 10,039 utterances, Busso et al. (2008)
    counts = {
        name: Counter(c for code in release.elements() for c in chosen.of([code]))
        for name, chosen in LABELLINGS.items()
    }
    assert counts["4"] == {"angry": 1103, "happy": 1636, "sad": 1084, "neutral": 1708}
    assert (counts["4"].total(), counts["6"].total(), release.total()) == (5531, 7380, 10039)


def test_context_without_a_class_is_kept_when_asked(corpus: Path) -> None:
    kept = read(corpus, classes=4, keep_unlabelled=True)
    assert len(kept.examples) == 12
    assert sum(not example.labels for example in kept.examples) == 6
    assert [e.turn for e in kept.examples[:11]] == list(range(11))


def test_turns_count_every_utterance_of_the_dialogue(corpus: Path) -> None:
    turns = [e.turn for e in read(corpus, classes=4).examples if e.session.endswith("1")]
    assert turns == [0, 1, 2, 3, 5]


def test_a_dialogue_recording_gives_the_speakers_channel(corpus: Path) -> None:
    reading = read(corpus, audio="dialogs")
    woman, man = (named(reading, f"{IMPRO}_{who}000") for who in "FM")
    assert woman.audio == corpus / "Session1" / "dialog" / "wav" / f"{IMPRO}.wav"
    assert (woman.start, woman.end) == (0.29, 1.5)
    assert (woman.channel, man.channel) == (0, 1)  # Ses01F: the woman wears the markers
    assert named(reading, f"{SCRIPT}_M000").channel == 0  # Ses05M: the man does


@pytest.mark.parametrize(("style", "count"), [("improvised", 8), ("scripted", 1), ("all", 9)])
def test_style_comes_from_the_dialogue(corpus: Path, style: str, count: int) -> None:
    examples = read(corpus, style=style).examples
    assert len(examples) == count
    assert style == "all" or {style_of(example) for example in examples} == {style}


def test_means_just_outside_the_scale_are_clipped(corpus: Path) -> None:
    scripted = named(read(corpus), f"{SCRIPT}_M000")
    assert (scripted.valence, scripted.arousal) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[0.2900 - 1.5000]", "[1.5000 - 0.2900]", "ends at 0.29 s but begins at 1.5 s"),
        ("[0.2900 - 1.5000]", "[x - 1.5000]", "'x' is not a number"),
        ("\tneu\t", "\tbored\t", "the label 'bored' is none"),
        ("\tneu\t", "\t", "not \\[start - end\\]"),
        ("[2.5000, 4.0000, 2.0000]", "[9.0000, 4.0000, 2.0000]", "9 is no mean of ratings"),
        ("[2.5000, 4.0000, 2.0000]", "[2.5000, 4.0000]", "not valence, activation and"),
        (f"{IMPRO}_F000", "Ses09F_impro01_F000", "no utterance of Ses01F_impro01"),
        (f"{IMPRO}_F000", f"{IMPRO}_F001", "occurs twice"),
        (f"{IMPRO}_F000", f"{IMPRO}_F900", "has no transcription"),
    ],
)
def test_a_malformed_line_is_named_and_skipped(
    corpus: Path, old: str, new: str, reason: str
) -> None:
    table = corpus / "Session1" / "dialog" / "EmoEvaluation" / f"{IMPRO}.txt"
    content = table.read_text(encoding="cp1252")
    table.write_text(content.replace(old, new, 1), encoding="cp1252")
    reading = read(corpus)
    assert len(reading.examples) == 8
    (problem,) = reading.problems
    assert problem.source.startswith(f"{table}:")
    with pytest.raises(CorpusError, match=rf"{IMPRO}\.txt, line \d+: .*{reason}"):
        read(corpus, strict=True)


def test_a_missing_recording_or_transcription_is_reported(corpus: Path) -> None:
    (corpus / f"Session1/sentences/wav/{IMPRO}/{IMPRO}_F000.wav").unlink()
    (corpus / f"Session5/dialog/transcriptions/{SCRIPT}.txt").unlink()
    problems = [problem.reason for problem in read(corpus).problems]
    assert "there is no recording" in problems[0]
    assert problems[1] == "the dialogue has no transcription"
    assert problems[2] == f"{SCRIPT}_M000 has no transcription"


def test_recordings_are_opened_when_asked(corpus: Path) -> None:
    damaged = corpus / f"Session1/sentences/wav/{IMPRO}/{IMPRO}_F000.wav"
    damaged.write_bytes(b"RIFF nothing")
    assert read(corpus).problems == ()
    reading = read(corpus, check_audio=True)
    assert (len(reading.examples), len(reading.problems)) == (8, 1)
    assert reading.problems[0].source.endswith(f"{IMPRO}.txt:3")


def test_a_wrong_folder_or_option_is_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="Session1"):
        read(tmp_path / "Session1")
    with pytest.raises(CorpusError, match="There is no folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"no classes '5'.*emotions, 4, 6, own"):
        read(corpus, classes="5")
    with pytest.raises(CorpusError, match="improvised"):
        read(corpus, style="improv")
    with pytest.raises(CorpusError, match="no such option"):
        read_corpus("iemocap", corpus, clases=4)


def test_the_release_folder_is_found_from_above(corpus: Path, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    (above / "IEMOCAP_full_release").symlink_to(corpus)
    assert len(read(above).examples) == 9


def test_channels_that_seem_swapped_are_found_by_listening(corpus: Path) -> None:
    # In the recordings of the corpus the woman speaks first, on the left, then the man, by turns.
    assert len(read(corpus, audio="dialogs", check_audio=True).examples) == 9
    recording = corpus / "Session1" / "dialog" / "wav" / f"{IMPRO}.wav"
    write_wav(recording, 23.0, channels=2, seed=1)
    reading = read(corpus, audio="dialogs", check_audio=True)
    assert [example.id for example in reading.examples] == [f"{SCRIPT}_M000"]
    assert reading.problems[0].source == str(recording)
    assert reading.problems[0].reason.startswith("in 8 of 8 utterances the other channel is louder")
    assert len(read(corpus, check_audio=True).examples) == 9  # sentences need no channel
    write_wav(recording, 23.0)
    reading = read(corpus, audio="dialogs", check_audio=True)
    assert "it has one channel" in reading.problems[0].reason

"""Features of dialogues are those the app computes, in order, and are computed once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from core.errors import ConfigError, CorpusError
from core.models.manifest import read_info
from core.pipeline.analyzer import load_analyzer
from core.types import SAMPLE_RATE, FloatArray, Transcript, Utterance
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint, voice
from tests.training.corpora.recordings import manifest, write_table
from training.context.extra_speech import ExtraSpeechConfig, extra_speech
from training.context.features import (
    CorpusChoice,
    DialogueCorpus,
    Turns,
    dialogue_set,
    grouped,
    read_dialogues,
)
from training.context.utterance_features import UtteranceEncoder, load_utterance_encoder
from training.data.dialogues import UNLABELLED
from training.data.example import Example
from training.data.feature_store import FeatureStore

TEXTS = ("I am so happy to see you", "why are you angry", "it is nothing", "the train is late")
HEADER = ["path", "text", "speaker", "dialogue", "turn", "language", "emotion", "split"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trained_on = {"speakers": {"manifest": ["seen"]}}
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny", trained_on=trained_on)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two spoken dialogues; the turns of the first lie in the table out of order."""
    folder = tmp_path_factory.mktemp("corpus")
    rows: list[list[object]] = []
    for number, (dialogue, turn) in enumerate([("a", 4), ("a", 0), ("a", 2), ("b", 0)]):
        name = f"{dialogue}{turn}.wav"
        samples = voice(1.0 + 0.2 * number, pitch=120 + 40 * number, seed=number)
        wavfile.write(folder / name, SAMPLE_RATE, (samples * 30000).astype(np.int16))
        emotion = ("happy", "angry", "", "sad")[number]
        rows.append(
            [name, TEXTS[number], "AB"[turn % 4 == 0], dialogue, turn, "en", emotion, "train"]
        )
    manifest(folder, *rows, header=HEADER)
    return folder


def read(folder: Path) -> DialogueCorpus:
    options = {"keep_unlabelled": True, "classes": ["happy", "angry", "sad"]}
    return read_dialogues([CorpusChoice("manifest", options=options)], folder)


def as_heard_in_a_session(checkpoint: Path, turns: Turns) -> list[dict[str, FloatArray]]:
    analyzer, found, start = load_analyzer(checkpoint, "cpu"), [], 0
    for index, example in enumerate(turns):
        assert example.audio is not None
        rate, samples = wavfile.read(example.audio)
        assert rate == SAMPLE_RATE
        heard = samples.astype(np.float32) / 32768
        utterance = Utterance(index, start, start + len(heard), heard, example.speaker)
        result = analyzer.final(utterance, Transcript(example.text or "", language="en"))
        assert result is not None
        analyzer.remember(utterance)
        found.append({modality.value: v for modality, v in result.features.items()})
        start += len(heard) + 8000
    return found


def test_features_are_those_of_a_session_that_hears_the_dialogue(
    checkpoint: Path, corpus: Path
) -> None:
    dialogues = read(corpus)
    found = dialogue_set(dialogues, load_utterance_encoder(str(checkpoint)))
    for turns, dialogue in zip(dialogues.dialogues, found.dialogues, strict=True):
        expected = as_heard_in_a_session(checkpoint, turns)
        for turn, features in enumerate(expected):
            for name, vector in features.items():
                np.testing.assert_allclose(dialogue.features[name][turn], vector, rtol=0, atol=2e-5)
    assert found.origin == read_info(checkpoint).digest


def test_a_system_of_pretrained_encoders_feeds_it_too(tmp_path: Path, corpus: Path) -> None:
    folder = make_speech_text_checkpoint(tmp_path / "system")
    dialogues = read(corpus)
    found = dialogue_set(dialogues, load_utterance_encoder(str(folder)))
    expected = as_heard_in_a_session(folder, dialogues.dialogues[0])
    assert set(found.sizes) == set(expected[0])
    for name, vector in expected[1].items():
        np.testing.assert_allclose(found.dialogues[0].features[name][1], vector, rtol=0, atol=2e-5)


def test_turns_are_in_order_and_unlabelled_ones_stay(checkpoint: Path, corpus: Path) -> None:
    found = dialogue_set(read(corpus), load_utterance_encoder(str(checkpoint)), ["text"])
    first, second = found.dialogues
    assert [name.rpartition("/")[2] for name in first.utterances] == ["a0.wav", "a2.wav", "a4.wav"]
    assert first.labels.tolist() == [1, UNLABELLED, 0]
    assert first.names == ("manifest/B", "manifest/A", "manifest/B")
    assert first.speakers.tolist() == [0, 1, 0]
    assert second.labels.tolist() == [2]
    assert found.classes == ("happy", "angry", "sad")
    assert set(found.sizes) == {"text"}


def test_what_was_encoded_once_is_read_back(
    checkpoint: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogues = read(corpus)
    first = dialogue_set(dialogues, load_utterance_encoder(str(checkpoint), tmp_path))
    encoder = load_utterance_encoder(str(checkpoint), tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(UtteranceEncoder, "_listened", refuse)
    monkeypatch.setattr(FeatureStore, "add", refuse)
    again = dialogue_set(dialogues, encoder)
    for one, other in zip(first.dialogues, again.dialogues, strict=True):
        for name, values in one.features.items():
            assert np.array_equal(values, other.features[name])


def test_what_was_heard_before_is_part_of_the_key(
    checkpoint: Path, corpus: Path, tmp_path: Path
) -> None:
    """The baseline of a speaker rests on earlier turns, so another past is another feature."""
    dialogues = read(corpus)
    encoder = load_utterance_encoder(str(checkpoint), tmp_path)
    whole = dialogue_set(dialogues, encoder).dialogues[0]
    cut = replace(dialogues, dialogues=(dialogues.dialogues[0][1:],))
    shorter = dialogue_set(cut, encoder).dialogues[0]
    assert not np.allclose(whole.features["speech"][2], shorter.features["speech"][1], atol=1e-4)
    assert np.array_equal(whole.features["text"][2], shorter.features["text"][1])


def test_text_in_another_language_is_missing(checkpoint: Path) -> None:
    turns = tuple(
        Example("c", f"{n}", text="das ist ein Satz", dialogue="c/1", turn=n, language=language)
        for n, language in enumerate(("de", "en", "de"))
    )
    found = dialogue_set(
        DialogueCorpus((turns,), ("happy",)), load_utterance_encoder(str(checkpoint))
    )
    assert found.dialogues[0].present["text"].tolist() == [False, True, False]
    assert not found.dialogues[0].features["text"][0].any()
    only = DialogueCorpus((turns[:1],), ("happy",))
    with pytest.raises(CorpusError, match="No turn has a feature"):
        dialogue_set(only, load_utterance_encoder(str(checkpoint)))


def test_an_utterance_without_a_dialogue_is_refused() -> None:
    with pytest.raises(CorpusError, match="belongs to no dialogue"):
        grouped([Example("c", "1", text="x")])


def test_sessions_become_the_test_part_where_nothing_is_published() -> None:
    examples = [
        Example("c", f"{n}", text="x", dialogue=f"c/{n}", session=f"c/s{n}") for n in range(3)
    ]
    found = grouped(examples, CorpusChoice("iemocap", test_sessions=("c/s2",)))
    assert [turns[0].part for turns in found] == ["train", "train", "test"]
    with pytest.raises(CorpusError, match="no session c/s9"):
        grouped(examples, CorpusChoice("iemocap", test_sessions=("c/s9",)))


def test_corpora_of_different_classes_can_not_be_read_together(tmp_path: Path) -> None:
    meld = ["Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID"]
    write_table(tmp_path / "meld" / "train_sent_emo.csv", [meld, ["Hi", "Joey", "joy", 0, 0]])
    emory = ["Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode"]
    rows: list[list[object]] = [[*emory], ["Hi", "['Joey']", "Joyful", 1, 1, 1, 1]]
    write_table(tmp_path / "emory" / "emorynlp_train_final.csv", rows)
    choices = [
        CorpusChoice("meld", "meld", {"classes": "own"}),
        CorpusChoice("emorynlp", "emory", {"classes": "own"}),
    ]
    with pytest.raises(ConfigError, match="different classes"):
        read_dialogues(choices, tmp_path)
    joined = [replace(choice, options={}) for choice in choices]
    assert len(read_dialogues(joined, tmp_path).dialogues) == 2


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Clips of three voices, one of which the checkpoint was trained on."""
    rows: list[list[object]] = []
    for number, (speaker, emotion) in enumerate(
        [("seen", "happy"), ("v", "happy"), ("v", "sad"), ("w", "happy"), ("w", "sad")]
    ):
        name = f"{speaker}_{emotion}.wav"
        samples = voice(0.8, pitch=110 + 30 * number, seed=number)
        wavfile.write(tmp_path / name, SAMPLE_RATE, (samples * 30000).astype(np.int16))
        rows.append([name, speaker, emotion])
    manifest(tmp_path, *rows, header=["path", "speaker", "emotion"])
    return tmp_path


def written(part: str = "train") -> DialogueCorpus:
    labels = ("happy", "sad", "happy", "angry", "happy", "sad")
    turns = tuple(
        Example(
            "c", f"{part}{n}", text=TEXTS[n % 4], speaker=f"c/{'AB'[n % 2]}", dialogue=f"c/{part}",
            turn=n, language="en", labels=(label,), part=part,
        )
        for n, label in enumerate(labels)
    )  # fmt: skip
    return DialogueCorpus((turns,), ("happy", "sad", "angry"))


def test_written_turns_are_given_voices_by_their_label(checkpoint: Path, clips: Path) -> None:
    encoder = load_utterance_encoder(str(checkpoint))
    config = ExtraSpeechConfig((CorpusChoice("manifest", path=clips.name),), share=1.0)
    voices = extra_speech(config, clips.parent, encoder)
    assert {example.speaker for example in voices.examples} == {"manifest/v", "manifest/w"}
    dialogue = dialogue_set(written(), encoder, ["text"], extra=voices).dialogues[0]
    assert dialogue.present["speech"].tolist() == [True, True, True, False, True, True]
    assert dialogue.present["text"].all()
    by_voice = {name: labels["happy"][0] for name, labels in voices.clips.items()}
    said = dialogue.features["speech"][[0, 2, 4]]
    assert np.array_equal(said[0], said[1])  # one voice throughout
    assert any(np.array_equal(said[0], vector) for vector in by_voice.values())
    again = dialogue_set(written(), encoder, ["text"], extra=voices).dialogues[0]
    assert np.array_equal(again.features["speech"], dialogue.features["speech"])


def test_a_voice_may_say_something_else_than_the_words(checkpoint: Path, clips: Path) -> None:
    encoder = load_utterance_encoder(str(checkpoint))
    choice = CorpusChoice("manifest", path=clips.name)
    config = ExtraSpeechConfig((choice,), share=1.0, agreement=0.0)
    voices = extra_speech(config, clips.parent, encoder)
    dialogue = dialogue_set(written(), encoder, ["text"], extra=voices).dialogues[0]
    angry = 3  # no clip is angry, so any of the voice's is another
    for turn in (0, 1, 2, angry, 4, 5):
        label = ("happy", "sad", "happy", "angry", "happy", "sad")[turn]
        heard = dialogue.features["speech"][turn]
        own = [labels[label] for labels in voices.clips.values() if label in labels]
        assert dialogue.present["speech"][turn]
        assert not any(np.array_equal(heard, clip) for clips in own for clip in clips)


def test_voices_kept_back_are_given_to_nobody(checkpoint: Path, clips: Path) -> None:
    encoder = load_utterance_encoder(str(checkpoint))
    choice = CorpusChoice("manifest", path=clips.name)
    voices = extra_speech(
        ExtraSpeechConfig((choice,), kept_back=("manifest/v",)), clips.parent, encoder
    )
    assert {example.speaker for example in voices.examples} == {"manifest/w"}
    with pytest.raises(CorpusError, match="No clip may be taken"):
        extra_speech(
            ExtraSpeechConfig((choice,), kept_back=("manifest/v", "manifest/w")),
            clips.parent,
            encoder,
        )


def test_a_corpus_without_dialogues_gives_dialogues_of_one_turn(clips: Path) -> None:
    choice = CorpusChoice("manifest", path=clips.name)
    with pytest.raises(CorpusError, match="belongs to no dialogue"):
        read_dialogues([choice], clips.parent)
    found = read_dialogues([replace(choice, monologues=3)], clips.parent)
    assert [len(turns) for turns in found.dialogues] == [1, 1, 1]
    assert len({turns[0].dialogue for turns in found.dialogues}) == 3


def test_the_test_part_is_given_none(checkpoint: Path, clips: Path) -> None:
    encoder = load_utterance_encoder(str(checkpoint))
    config = ExtraSpeechConfig((CorpusChoice("manifest", path=clips.name),), unseen=False)
    voices = extra_speech(config, clips.parent, encoder)
    assert len(voices.examples) == 5
    assert "speech" not in dialogue_set(written("dev"), encoder, ["text"], extra=voices).sizes


def test_a_checkpoint_without_encoders_of_its_own_is_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.context import utterance_features

    monkeypatch.setattr(utterance_features, "encoder_of", lambda *_: None)
    with pytest.raises(ConfigError, match="no encoders"):
        load_utterance_encoder(str(checkpoint))

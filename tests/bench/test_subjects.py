from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from core.bench import whisper_model
from core.bench.architectures import BASE, REAL, SMALL, TINY, WhisperShape, fingerprint
from core.bench.naive import NaiveScript, load_models
from core.bench.ours import Ours
from core.bench.retelling import Retelling, retold
from core.bench.subjects import Subjects
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.types import SAMPLE_RATE, Transcript


def test_the_vocabulary_has_whispers_size_and_order() -> None:
    tokenizer = whisper_model.build_tokenizer()
    assert tokenizer.get_vocab_size() == 51_865
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("ko", "nospeech", "0.00")}
    assert tokenizer.token_to_id("<|endoftext|>") == 50_257
    assert ids == {"ko": 50_264, "nospeech": 50_362, "0.00": 50_364}
    assert tokenizer.token_to_id("") == 50_256
    assert tokenizer.token_to_id("<|30.00|>") == 51_864


def test_the_text_has_twenty_tokens() -> None:
    tokenizer = whisper_model.build_tokenizer()
    ids = tokenizer.get_vocab()
    pieces = [ids[piece] for piece in whisper_model.text_pieces()]
    assert len(pieces) == whisper_model.TOKENS == 20
    assert tokenizer.decode(pieces).strip() == whisper_model.written_text()


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_every_way_to_decode_writes_the_same_text_whatever_is_heard(
    subjects: Subjects, seconds: float
) -> None:
    whisper = NaiveScript(load_models(subjects.checkpoint), subjects.whisper("nano"), 1)
    utterance = subjects.clips.utterance(seconds)
    growing = replace(utterance, is_final=False)
    whole, short = subjects.transcriber("nano"), subjects.transcriber("nano", short=True)
    texts = {
        "naive": whisper.answer(utterance.samples).text,
        "final": whole.final(utterance).text,
        "partial": whole.partial(growing).text,
        "short": short.final(utterance).text,
    }
    assert set(texts.values()) == {whisper_model.written_text()}, texts


def test_no_gate_has_to_be_opened(subjects: Subjects) -> None:
    found = subjects.transcriber("nano").final(subjects.clips.utterance(4.0))
    assert found.rejection is None
    assert found.confidence > 0.9
    assert found.language == whisper_model.LANGUAGE


def test_with_nothing_to_fill_up_the_naive_script_and_ours_say_the_same(
    subjects: Subjects,
) -> None:
    script = NaiveScript(load_models(subjects.checkpoint), subjects.whisper("nano"), 1)
    ours = Ours(subjects.analyzer("torch"), subjects.transcriber("nano"))
    utterance = subjects.clips.utterance(10.0)
    logits = script.answer(utterance.samples).logits
    result, transcript = ours.fused(utterance)
    ours.close()
    assert transcript.text == whisper_model.written_text()
    naive = np.exp(logits - logits.max())
    np.testing.assert_allclose(naive / naive.sum(), result.probabilities, atol=1e-5)


def test_filling_up_moves_the_naive_answer(subjects: Subjects) -> None:
    script = NaiveScript(load_models(subjects.checkpoint), subjects.whisper("nano"), 1)
    clip = subjects.clips.utterance(10.0).samples
    short = script.answer(clip[: 4 * SAMPLE_RATE]).logits
    assert np.abs(short - script.answer(clip).logits).max() > 1e-4


def test_models_are_made_once(subjects: Subjects) -> None:
    again = Subjects(subjects.architectures, subjects.root)
    before = {path: path.stat().st_mtime_ns for path in subjects.root.iterdir()}
    assert again.checkpoint == subjects.checkpoint
    assert again.whisper("nano") == subjects.whisper("nano")
    for path in (again.checkpoint, again.whisper("nano")):
        assert path.stat().st_mtime_ns == before.get(path, path.stat().st_mtime_ns)


def test_no_clip_is_like_another(subjects: Subjects) -> None:
    clips = [subjects.clips.utterance(1.0) for _ in range(40)]
    assert len({clip.samples.tobytes() for clip in clips}) == 40
    assert len({clip.index for clip in clips}) == 40
    assert {clip.samples.size for clip in clips} == {SAMPLE_RATE}


def test_a_growing_clip_grows_by_its_interval_and_keeps_what_was_heard(subjects: Subjects) -> None:
    partials = list(subjects.clips.growing(1.0, 0.25))
    assert [p.samples.size for p in partials] == [4000, 8000, 12000, 16000]
    assert not any(p.is_final for p in partials)
    assert len({p.index for p in partials}) == 1
    np.testing.assert_array_equal(partials[-1].samples[:4000], partials[0].samples)


def test_the_real_sizes_are_the_published_ones() -> None:
    assert [w.width for w in (TINY, BASE, SMALL)] == [384, 512, 768]
    assert [w.layers for w in (TINY, BASE, SMALL)] == [4, 6, 12]
    assert (REAL.speech.width, REAL.speech.layers, REAL.speech.stable) == (768, 12, False)
    assert (REAL.large.width, REAL.large.layers, REAL.large.stable) == (1024, 24, True)
    assert (REAL.text.width, REAL.text.layers, REAL.text.vocabulary) == (768, 12, 32_000)
    for shape in REAL.whispers.values():
        assert all(layer < shape.layers and head < shape.heads for layer, head in shape.alignment)
        assert shape.width // shape.heads == 64


def test_another_shape_is_kept_elsewhere() -> None:
    other = WhisperShape("tiny", 384, 4, 6, ((0, 0),))
    assert fingerprint(TINY) == fingerprint(TINY)
    assert fingerprint(TINY) != fingerprint(other)


def test_each_answer_reads_its_text_though_whisper_always_writes_the_same(
    subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = PretrainedTextEncoder.read_by_torch

    def counted(self: PretrainedTextEncoder, tokens: Tensor, mask: Tensor) -> Any:
        read.append(len(tokens))
        return real(self, tokens, mask)

    ours = Ours(subjects.analyzer("torch"), subjects.transcriber("nano"))
    monkeypatch.setattr(PretrainedTextEncoder, "read_by_torch", counted)
    for _ in range(3):
        ours.fused(subjects.clips.utterance(2.0))
    ours.close()
    assert read == [1, 1, 1]


def test_in_a_session_no_text_is_like_the_last(subjects: Subjects) -> None:
    whisper = Retelling(subjects.transcriber("nano"))
    clips = [replace(subjects.clips.utterance(2.0), index=index) for index in range(4)]
    texts = [whisper.final(clip).text for clip in clips]
    assert len(set(texts)) == 4
    tokenizer = whisper_model.build_tokenizer()
    assert len({len(tokenizer.encode(text).ids) for text in texts}) == 1
    growing = whisper.partial(replace(clips[1], is_final=False))
    assert growing.text == texts[1]
    better = whisper.better(clips[1], whisper.final(clips[1]))
    assert better is None or better.text == texts[1]
    assert retold(Transcript("", "a"), 512).text == whisper_model.WORDS[5]

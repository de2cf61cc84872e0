"""The recipe of the micro Whisper: its pieces are right, and it runs from speech to folder."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
import torch

from core.asr.catalog import missing_files
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.types import SAMPLE_RATE
from tests.asr.clips import MODEL, load_clips, utterance_of
from training.micro_whisper.batches import IGNORED, BatchMaker, Mixture
from training.micro_whisper.convert import convert
from training.micro_whisper.features import FULL_WINDOW, log_mel, mel_power
from training.micro_whisper.model import MicroWhisper
from training.micro_whisper.sentences import KNOWN, UNHEARD, UNKNOWN
from training.micro_whisper.sounds import known_sounds, noise_sounds, unknown_sounds
from training.micro_whisper.synthesis import Manner, synthesise
from training.micro_whisper.tokenizer import build_tokenizer, special_tokens, token_id
from training.micro_whisper.train import Phase, train

SENTENCES = [text for texts in KNOWN.values() for text in texts]


@pytest.fixture(scope="module")
def espeak() -> None:
    try:
        ctypes.CDLL("libespeak-ng.so.1")
    except OSError:
        pytest.skip("the library of espeak-ng is not installed (apt install espeak-ng)")


@pytest.fixture(scope="module")
def batches(espeak: None) -> BatchMaker:
    rng = np.random.default_rng(1)
    sounds = known_sounds(1, rng), unknown_sounds(1, rng), noise_sounds(3, rng)
    return BatchMaker(build_tokenizer(SENTENCES), *sounds, rng)


def new_model() -> MicroWhisper:
    torch.manual_seed(0)
    tokenizer = build_tokenizer(SENTENCES)
    return MicroWhisper(tokenizer.get_vocab_size(), token_id(tokenizer, "endoftext"))


def test_tokens_stand_in_whispers_order() -> None:
    tokenizer = build_tokenizer(SENTENCES)
    first = token_id(tokenizer, "endoftext")
    ids = [tokenizer.token_to_id(name) for name in special_tokens()]
    assert ids == list(range(first, first + len(ids)))
    assert tokenizer.token_to_id("") == first - 1  # what tells a multilingual vocabulary
    assert token_id(tokenizer, "0.00") == token_id(tokenizer, "notimestamps") + 1
    assert token_id(tokenizer, "30.00") == token_id(tokenizer, "0.00") + 1500
    assert tokenizer.get_vocab_size() == token_id(tokenizer, "30.00") + 1


@pytest.mark.parametrize("text", SENTENCES[::5])
def test_tokens_give_the_sentence_back(text: str) -> None:
    tokenizer = build_tokenizer(SENTENCES)
    ids = tokenizer.encode(f" {text}", add_special_tokens=False).ids
    assert tokenizer.decode(ids) == f" {text}"


def test_features_are_those_of_faster_whisper() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    samples = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.1
    ours = log_mel(mel_power(np.pad(samples, (0, 160))), 3000)
    theirs = FeatureExtractor()(samples)
    assert np.allclose(ours[:, : theirs.shape[1]], theirs, atol=1e-5)
    assert not ours[:, theirs.shape[1] :].any()


def test_no_sentence_is_both_known_and_unknown() -> None:
    groups = [{t for texts in part.values() for t in texts} for part in (KNOWN, UNKNOWN, UNHEARD)]
    assert len(set.union(*groups)) == sum(map(len, groups))
    assert [len(texts) for texts in KNOWN.values()] == [12, 12]


def test_the_committed_clips_speak_the_sentences_of_the_recipe() -> None:
    assert {clip.text for clip in load_clips(known=True)} == set(SENTENCES)


@pytest.mark.parametrize("rate", [120, 180, 240])
def test_spoken_words_follow_each_other_through_the_clip(espeak: None, rate: int) -> None:
    clip = synthesise("The train leaves at seven tomorrow morning.", Manner("en-us", rate))
    assert clip.words == ("The", "train", "leaves", "at", "seven", "tomorrow", "morning.")
    edges = [clip.times[0][0], *(end for _, end in clip.times)]
    assert edges == sorted(edges)
    assert edges[0] == 0.0
    assert edges[-1] == pytest.approx(len(clip.samples) / SAMPLE_RATE)
    longest = max(clip.times, key=lambda span: span[1] - span[0])
    assert longest in (clip.times[5], clip.times[6])  # tomorrow, morning


def test_faster_speech_is_shorter(espeak: None) -> None:
    lengths = [len(synthesise(SENTENCES[0], Manner("ko", rate)).samples) for rate in (120, 240)]
    assert lengths[1] < 0.75 * lengths[0]


def test_every_label_that_is_heard_lies_in_the_window(batches: BatchMaker) -> None:
    batch = batches.draw(24, 1500, Mixture(empty=0.2, pairs=0.4))
    heard = batch.spans[..., 0] >= 0
    assert (batch.labels[heard] != IGNORED).all()
    assert (batch.spans[heard][:, 1] >= batch.spans[heard][:, 0]).all()
    assert float(batch.spans.max()) <= 1500 / 2 + 25
    words = batch.labels[(batch.labels != IGNORED) & ~heard]
    assert (words >= token_id(build_tokenizer(SENTENCES), "endoftext")).all()


def test_thinning_the_padding_changes_next_to_nothing(batches: BatchMaker) -> None:
    batch = batches.draw(2, FULL_WINDOW, Mixture(pairs=0.0))
    model = new_model()
    with torch.no_grad():
        thinned, _, _ = model(batch.mel, batch.tokens, batch.content)
        exact, _, _ = model(batch.mel, batch.tokens, FULL_WINDOW // 2)
    assert float((thinned - exact).abs().max()) < 0.1 * float(exact.abs().max())


def test_the_recipe_runs_from_speech_to_a_folder_that_loads(
    batches: BatchMaker, tmp_path: Path
) -> None:
    model = new_model()
    phases = (
        Phase("single", 6, 4, Mixture(pairs=0.0)),
        Phase("exact", 1, 2, Mixture(), thinned=False),
    )
    losses = train(model, batches, phases, peak_rate=2e-3)
    assert len(losses) == 7
    assert losses[5] < losses[0]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("is left alone")
    convert(model.eval(), build_tokenizer(SENTENCES), folder)
    assert (folder / "README.md").is_file()
    assert missing_files(folder) == ()
    transcriber = WhisperTranscriber(WhisperSettings(model=str(folder), cpu_threads=1))
    heard = transcriber.final(utterance_of(np.zeros(SAMPLE_RATE, np.float32)))
    assert heard.text == ""  # it has learnt nothing yet, and the gates say so
    assert heard.language in ("ko", "en")


def test_the_committed_model_is_whole_and_small() -> None:
    assert missing_files(MODEL) == ()
    weights = [file for file in MODEL.iterdir() if file.suffix in (".bin", ".json")]
    assert sum(file.stat().st_size for file in weights) < 1_500_000

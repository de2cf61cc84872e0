from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from core.errors import CheckpointError
from core.models.processor import Processor
from tests.checkpoints import make_processor, voice


@pytest.fixture(scope="module")
def processor() -> Processor:
    return make_processor()


def test_one_utterance_becomes_a_batch_of_one(processor):
    inputs = processor(voice(1.0), "I am so happy", "en")
    assert inputs.speech.shape[0] == inputs.functionals.shape[0] == inputs.tokens.shape[0] == 1
    assert inputs.speech.shape[2] == processor.extractor.frame_dim
    assert inputs.speech_mask.all()
    assert inputs.token_mask.all()


@pytest.mark.parametrize(
    ("samples", "text", "language"),
    [(True, None, None), (True, "  ", "en"), (True, "Ich bin froh", "de"), (False, "happy", "en")],
)
def test_what_is_missing_or_unknown_is_none(processor, samples, text, language):
    inputs = processor(voice(0.5) if samples else None, text, language)
    assert (inputs.speech is not None) == samples
    assert (inputs.tokens is not None) == (not samples)


def test_padding_changes_no_row_and_is_masked(processor):
    short, long = (
        processor.normalise(processor.measure(voice(s, seed=int(s * 10)))) for s in (0.7, 1.6)
    )
    texts = [processor.tokenize(t) for t in ("happy", "what is this, why")]
    inputs = processor.batch([short, long], texts)
    n = len(short.frames)
    assert torch.equal(inputs.speech[0, :n], torch.from_numpy(short.frames))
    assert inputs.speech_mask.sum(1).tolist() == [n, len(long.frames)]
    assert not inputs.speech[0, n:].any()
    assert inputs.token_mask.sum(1).tolist() == [len(t.ids) for t in texts]
    assert (inputs.tokens[~inputs.token_mask] == processor.tokenizer.pad_id).all()


def test_a_language_may_carry_a_region(processor):
    assert processor.understands("안녕", "ko-KR")
    assert processor.understands("hello", "EN_us")
    assert not processor.understands("hello", "de")


def test_korean_needs_no_language(processor):
    assert processor.understands("정말 기쁘다", None)
    assert not processor.understands("Это не по-английски", None)


def test_an_own_baseline_moves_the_inputs_toward_it(processor):
    baseline = processor.new_baseline()
    measures = processor.measure(voice(2.0))
    before = processor.normalise(measures, baseline)
    assert np.array_equal(before.frames, processor.normalise(measures).frames)
    for _ in range(20):
        baseline.update(measures.frames, measures.functionals)
    after = processor.normalise(measures, baseline)
    own = slice(0, processor.extractor.functional_dim)
    assert np.abs(after.functionals[own]).mean() < 0.5 * np.abs(before.functionals[own]).mean()


def test_it_is_the_same_after_saving(processor, tmp_path):
    processor.save(tmp_path)
    loaded = Processor.load(tmp_path)
    assert loaded.config == processor.config
    a, b = (p(voice(0.8), "why so sad", "en") for p in (processor, loaded))
    assert torch.equal(a.speech, b.speech)
    assert torch.equal(a.functionals, b.functionals)
    assert torch.equal(a.tokens, b.tokens)


@pytest.mark.parametrize("name", ["processor.json", "statistics.safetensors", "tokenizer.json"])
def test_a_missing_or_damaged_file_is_refused(processor, tmp_path, name):
    processor.save(tmp_path)
    (tmp_path / name).write_bytes(b"{\x00")
    with pytest.raises(CheckpointError):
        Processor.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(CheckpointError):
        Processor.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("frame_mean", lambda a: a[:-1]),
        ("functional_mean", lambda a: np.full_like(a, np.nan)),
        ("frame_deviation", lambda a: a * 0),
    ],
)
def test_statistics_that_do_not_fit_are_refused(processor, tmp_path, name, change):
    processor.save(tmp_path)
    arrays = load_file(tmp_path / "statistics.safetensors")
    arrays[name] = np.ascontiguousarray(change(arrays[name]))
    save_file(arrays, tmp_path / "statistics.safetensors")
    with pytest.raises(CheckpointError, match=name):
        Processor.load(tmp_path)


def test_an_unknown_setting_is_refused(processor, tmp_path):
    processor.save(tmp_path)
    values = json.loads((tmp_path / "processor.json").read_text())
    (tmp_path / "processor.json").write_text(json.dumps(values | {"volume": 11}))
    with pytest.raises(CheckpointError, match="volume"):
        Processor.load(tmp_path)

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, Wav2Vec2FeatureExtractor

from core.errors import CheckpointError, ConfigError
from core.models.encoders import backbone
from core.models.encoders.pretrained import (
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.preparing import PreparesWaveforms
from core.models.pretrained_processor import (
    Overlong,
    PretrainedProcessor,
    PretrainedProcessorConfig,
)
from core.models.processor import Processor
from core.models.processor_loading import load_processor
from core.models.script import language_among, script_of
from tests.checkpoints import make_processor as make_frame_processor
from tests.checkpoints import voice

KOREAN = "왜 이렇게 화가 났어요 happy"


@pytest.fixture(scope="module")
def text(tiny_encoder):
    return load_pretrained_text(tiny_encoder("klue_roberta_like"), max_tokens=24)


@pytest.fixture(scope="module")
def processor(text) -> PretrainedProcessor:
    return make_processor(text=text, languages=("ko", "en"))


def test_waveforms_are_normalised_as_hugging_face_does_it(processor):
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    clip = voice(1.3) + np.float32(0.01)
    expected = extractor(clip, sampling_rate=16_000, return_tensors="np").input_values[0]
    np.testing.assert_allclose(processor.prepare(clip), expected, atol=1e-5)


def test_a_model_that_was_not_trained_on_normalised_waveforms_gets_them_as_they_are(tmp_path):
    clip = voice(0.5)
    knu = PretrainedProcessor(PretrainedProcessorConfig(normalise=False))
    assert np.array_equal(knu.prepare(clip), clip)


def test_whether_to_normalise_is_what_the_model_says(tiny_encoder, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for path in tiny_encoder("wavlm_like").iterdir():
        (folder / path.name).symlink_to(path)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | {"do_normalize": False}))
    assert not make_processor(load_pretrained_speech(folder)).config.normalise
    assert make_processor(load_pretrained_speech(tiny_encoder("wavlm_like"))).config.normalise


def test_the_published_processors_cut_what_is_too_long():
    config = PretrainedProcessorConfig(longest_seconds=6.0, overlong=Overlong.CUT)
    clip = voice(9.0)
    pieces = PretrainedProcessor(config).pieces(clip)
    assert len(pieces) == 1
    assert pieces[0].waveform.size == 96_000
    assert pieces[0].seconds == 6.0
    np.testing.assert_array_equal(
        pieces[0].waveform, PretrainedProcessor(config).prepare(clip[:96_000])
    )


def test_long_speech_is_judged_in_pieces_that_cover_it_all():
    processor = PretrainedProcessor(PretrainedProcessorConfig(longest_seconds=4.0, normalise=False))
    clip = np.concatenate([voice(5.0), np.zeros(80_000, np.float32)])
    pieces = processor.pieces(clip)
    np.testing.assert_array_equal(np.concatenate([p.waveform for p in pieces]), clip)
    assert all(piece.seconds <= 4.0 for piece in pieces)
    ends = [piece.start + piece.seconds for piece in pieces]
    np.testing.assert_allclose([p.start for p in pieces[1:]], ends[:-1])
    assert sum(p.weight for p in pieces) == pytest.approx(1.0)
    assert pieces[0].weight > 0.5 > 10 * pieces[2].weight  # the last one is silence


def test_speech_of_just_the_longest_length_is_one_piece():
    processor = PretrainedProcessor(PretrainedProcessorConfig(longest_seconds=2.0))
    assert len(processor.pieces(voice(2.0))) == 1
    assert len(processor.pieces(voice(2.01))) == 2


@pytest.mark.parametrize(
    "clip",
    [
        np.zeros(16_000, np.float32),
        np.zeros(0, np.float32),
        np.full(5, np.nan, np.float32),
        np.array([np.inf, 1.0] * 400, np.float32),
    ],
)
def test_whatever_comes_out_of_a_damaged_recording_is_finite_and_long_enough(processor, clip):
    prepared = processor.prepare(clip)
    assert np.isfinite(prepared).all()
    assert prepared.size >= 400
    assert prepared.dtype == np.float32


@pytest.mark.parametrize("kind", ["klue_roberta_like", "xlm_roberta_like", "electra_like"])
def test_tokens_are_those_of_the_models_tokenizer(tiny_encoder, kind):
    folder = tiny_encoder(kind)
    with backbone.quiet():
        reference = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    loaded = load_pretrained_text(folder, max_tokens=64)
    found = make_processor(text=loaded, languages=("ko",)).tokenize(KOREAN)
    expected = reference(KOREAN, return_offsets_mapping=True)
    assert list(found.ids) == expected["input_ids"]
    assert list(found.spans) == [tuple(span) for span in expected["offset_mapping"]]
    assert loaded.tokenizer.pad_id == reference.pad_token_id


def test_spans_point_at_the_words(processor):
    tokens = processor.tokenize(KOREAN)
    assert tokens.spans[0] == tokens.spans[-1] == (0, 0)
    assert tokens.pieces(KOREAN)[1] == "왜"
    assert "".join(tokens.pieces(KOREAN)) == "".join(KOREAN.split())


def test_long_texts_lose_their_end(processor):
    tokens = processor.tokenize("happy " * 100)
    assert len(tokens.ids) == 24
    assert tokens.ids[-1] == processor.tokenize("happy").ids[-1]


def test_batches_are_filled_up_and_masked(processor):
    clips = [processor.prepare(voice(s)) for s in (0.5, 0.2)]
    texts = [processor.tokenize(t) for t in ("happy", KOREAN)]
    inputs = processor.batch(clips, texts)
    assert inputs.waveform_mask.sum(1).tolist() == [8_000, 3_200]
    assert float(inputs.waveform[1, 3_200:].abs().max()) == 0.0
    assert inputs.token_mask.sum(1).tolist() == [len(t.ids) for t in texts]
    assert set(inputs.tokens[0][~inputs.token_mask[0]].tolist()) == {processor.config.pad_id}
    assert inputs.speech is None
    assert processor.batch(texts=texts).waveform is None


def test_one_utterance_is_a_batch_of_one(processor):
    inputs = processor(voice(0.5), "정말 기쁘다")
    assert inputs.waveform.shape == (1, 8_000)
    assert inputs.tokens.shape[0] == 1
    assert processor(voice(0.5), "Это не по-английски").tokens is None
    assert processor(voice(0.5), "  ").tokens is None


@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wav2vec2_large_like", "hubert_like"])
def test_training_and_live_see_the_same_features(tiny_encoder, kind):
    """Batches of several lengths, in any order, against one utterance at a time."""
    speech = load_pretrained_speech(tiny_encoder(kind))
    processor = make_processor(speech, longest_seconds=3.0)
    clips = [voice(s, pitch=110 + 20 * i, seed=i) for i, s in enumerate((1.1, 0.3, 2.0, 3.0))]
    live = [speech.encoder(processor(clip)) for clip in clips]
    speech.encoder.train()
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        prepared = [processor.prepare(clips[i]) for i in order]
        trained = speech.encoder(processor.batch(prepared))
        for row, index in enumerate(order):
            length = int(live[index].mask.sum())
            gap = trained.sequence[row, :length] - live[index].sequence[0]
            assert float(gap.abs().max()) < 1e-5
            assert float((trained.pooled[row] - live[index].pooled[0]).abs().max()) < 1e-5


def test_saved_and_loaded_it_does_the_same_offline_and_without_a_word(processor, tmp_path, capfd):
    processor.save(tmp_path / "processor")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_processor(tmp_path / "processor")
    assert isinstance(loaded, PretrainedProcessor)
    assert loaded.config == processor.config
    assert loaded.tokenize(KOREAN) == processor.tokenize(KOREAN)
    assert np.array_equal(loaded.prepare(voice(0.4)), processor.prepare(voice(0.4)))
    assert sorted(p.name for p in (tmp_path / "processor").iterdir()) == [
        "pretrained_processor.json",
        "tokenizer.json",
    ]
    assert capfd.readouterr() == ("", "")


def test_either_kind_of_processor_is_told_from_its_folder(processor, tmp_path):
    make_frame_processor().save(tmp_path / "frames")
    assert isinstance(load_processor(tmp_path / "frames"), Processor)
    make_frame_processor().save(tmp_path / "both")
    processor.save(tmp_path / "both")
    (tmp_path / "none").mkdir()
    for name in ("both", "none"):
        with pytest.raises(CheckpointError, match=name):
            load_processor(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pretrained_processor.json", "{"),
        ("pretrained_processor.json", "[]"),
        ("pretrained_processor.json", '{"colour": 1}'),
        ("pretrained_processor.json", '{"overlong": "shrink"}'),
        ("pretrained_processor.json", '{"max_tokens": 1}'),
        ("tokenizer.json", "{}"),
        ("tokenizer.json", ""),
    ],
)
def test_a_damaged_processor_is_refused(processor, tmp_path, name, content):
    processor.save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(CheckpointError):
        load_processor(tmp_path)


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        ("정말 기쁘다", None, True),
        ("정말 기쁘다", "ko-KR", True),
        ("hello", "EN_us", True),
        ("hello", "de", False),
        ("hello", None, True),
        ("Это не по-английски", None, False),
        ("123 !?", None, False),
    ],
)
def test_text_enters_in_the_languages_of_the_model_only(processor, sentence, language, expected):
    assert processor.understands(sentence, language) is expected


def test_languages_are_told_from_letters():
    assert script_of("오늘 meeting 했어") == "HANGUL"
    assert language_among("오늘 meeting 했어", ("en", "ko")) == "ko"
    assert language_among("今日は楽しい", ("zh", "ja")) == "ja"
    assert language_among("今天很高兴", ("ja", "zh")) in ("ja", "zh")
    assert language_among("hello", ("ko",)) is None
    assert language_among("...", ("ko", "en")) is None


def test_a_model_without_text_takes_none():
    speechless = PretrainedProcessor(PretrainedProcessorConfig(languages=("ko",)))
    assert not speechless.understands("정말", "ko")
    with pytest.raises(CheckpointError, match="no tokenizer"):
        speechless.tokenize("정말")


def test_a_text_encoder_needs_its_languages(text):
    with pytest.raises(ConfigError, match="languages"):
        make_processor(text=text)


def test_the_processor_is_what_the_app_expects(processor):
    expected: PreparesWaveforms = processor
    assert expected.longest_seconds == 10.0
    assert expected.languages == ("ko", "en")
    assert torch.is_tensor(expected.batch([expected.prepare(voice(0.1))]).waveform)

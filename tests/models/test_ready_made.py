from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForAudioClassification, AutoModelForSequenceClassification

from core.errors import CheckpointError, ConfigError
from core.labels import EMOTIONS
from core.models.encoders import backbone
from core.models.outputs import Encoded, Features, ModelInputs
from core.models.ready_made import ReadyMadeModel
from core.models.ready_made_labels import class_log_probabilities, label_matrix
from core.models.ready_made_loading import Classifier, load_ready_made
from core.types import Modality
from tests.checkpoints import voice
from training.generated.classifiers import (
    write_audio_classifier,
    write_bert_classifier,
    write_spectrogram_classifier,
    write_text_classifier,
)

FOUR = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}
MANY = {
    "joy": "happy",
    "love": "happy",
    "anger": "angry",
    "calm": None,
    "fear": "fear",
    "neutral": "neutral",
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    write_audio_classifier(root / "audio", list(FOUR))
    write_spectrogram_classifier(root / "spectrogram", list(FOUR))
    write_text_classifier(root / "multi", list(MANY), multi_label=True)
    write_bert_classifier(root / "single", list(MANY))
    return root


def speech(hub: Path, name: str = "audio") -> Classifier:
    return Classifier(str(hub / name), FOUR)


def text(hub: Path, name: str = "multi") -> Classifier:
    return Classifier(str(hub / name), MANY, languages=("en", "ko"))


def encoded(probabilities) -> Encoded:
    logits = torch.tensor([probabilities]).clamp(min=1e-6).log()
    return Encoded(logits[:, None], torch.ones(1, 1, dtype=torch.bool), logits, logits)


def test_labels_of_one_class_add_up_and_the_rest_is_left_out():
    matrix = label_matrix(list(MANY), MANY, EMOTIONS)
    shares = torch.tensor([[0.3, 0.1, 0.2, 0.2, 0.1, 0.1]])
    found = class_log_probabilities(shares.log(), matrix, multi_label=False).exp()[0]
    kept = 0.8
    for emotion, share in {"happy": 0.4, "angry": 0.2, "fear": 0.1, "neutral": 0.1}.items():
        assert float(found[EMOTIONS.index(emotion)]) == pytest.approx(share / kept, abs=1e-5)
    assert float(found[EMOTIONS.index("disgust")]) < 1e-5
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-4)


def test_labels_that_do_not_exclude_one_another_are_told_each_by_itself():
    matrix = label_matrix(["a", "b"], {"a": "happy", "b": "sad"}, EMOTIONS)
    logits = torch.tensor([[0.0, -math.log(3)]])  # sigmoid: 1/2 and 1/4
    found = class_log_probabilities(logits, matrix, multi_label=True).exp()[0]
    assert float(found[EMOTIONS.index("happy")]) == pytest.approx(2 / 3, abs=1e-5)


def test_a_model_that_is_sure_of_nothing_kept_gives_finite_answers():
    matrix = label_matrix(["calm", "sad"], {"calm": None, "sad": "sad"}, EMOTIONS)
    found = class_log_probabilities(torch.tensor([[500.0, -500.0]]), matrix, multi_label=False)
    assert found.isfinite().all()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"neu": "neutral", "hap": "happy", "ang": "angry"}, "no class is given for 'sad'"),
        (FOUR | {"bored": None}, "the model has no label 'bored'"),
        (FOUR | {"sad": "blue"}, "there is no class 'blue'"),
        (dict.fromkeys(FOUR), "not one label has a class"),
    ],
)
def test_labels_that_do_not_fit_are_named(hub, labels, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        load_ready_made(Classifier(str(hub / "audio"), labels))
    assert "neu, hap, ang, sad" in caught.value.remedy


def test_a_classifier_says_what_it_says_in_hugging_face(hub):
    model, processor = load_ready_made(speech(hub), text(hub))
    with backbone.quiet():
        audio = AutoModelForAudioClassification.from_pretrained(hub / "audio").eval()
        words = AutoModelForSequenceClassification.from_pretrained(hub / "multi").eval()
    clips = [processor.prepare(voice(s, seed=i)) for i, s in enumerate((1.0, 0.4, 1.0))]
    tokens = [processor.tokenize(t) for t in ("happy", "왜 화가 났어요 happy", "sad")]
    with torch.no_grad():
        features = model.encode(processor.batch(clips, tokens))
        for row, (clip, token) in enumerate(zip(clips, tokens, strict=True)):
            heard = audio(torch.from_numpy(clip)[None]).logits.softmax(-1)[0]
            said = features.speech.logits[row].exp()
            for name, share in zip(FOUR, heard, strict=True):
                got = said[EMOTIONS.index(FOUR[name])]
                torch.testing.assert_close(got, share, rtol=0, atol=1e-5)
            read = words(torch.tensor([token.ids])).logits.sigmoid()[0]
            happy = (read[0] + read[1]) / (read.sum() - read[3])
            got = features.text.logits[row].exp()[EMOTIONS.index("happy")]
            torch.testing.assert_close(got, happy, rtol=0, atol=1e-5)


def test_whether_labels_exclude_one_another_is_what_the_model_says(hub):
    assert load_ready_made(text=text(hub))[0].architecture.text.multi_label
    assert not load_ready_made(text=text(hub, "single"))[0].architecture.text.multi_label
    forced = Classifier(str(hub / "single"), MANY, multi_label=True, languages=("ko",))
    assert load_ready_made(text=forced)[0].architecture.text.multi_label


def test_fusion_is_a_weighted_product_of_probabilities(hub):
    model, _ = load_ready_made(speech(hub), text(hub))
    model.weigh(0.7, 0.4)
    heard = [0.4, 0.3, 0.2, 0.0, 0.1, 0.0, 0.0]
    read = [0.1, 0.5, 0.2, 0.0, 0.0, 0.2, 0.0]
    with torch.no_grad():
        output = model(Features(encoded(heard), encoded(read)))
    found = output.logits.softmax(-1)[0].numpy()
    chance = 1 / 7
    p = np.array([0.4, 0.3, 0.2, chance, 0.1, chance, chance])  # it has no word for the others
    q = np.array([0.1, 0.5, 0.2, chance, chance, 0.2, chance])
    product = p**0.7 * q**0.4
    possible = np.array([True, True, True, False, True, True, False])
    expected = product[possible] / product[possible].sum()
    np.testing.assert_allclose(found[possible], expected, atol=1e-4)
    assert found[~possible].max() < 1e-4
    share = output.attentions["modality"]
    assert share.shape == (1, 2)
    assert float(share.sum()) == pytest.approx(1.0)


def test_what_a_model_can_not_say_is_no_evidence_against_it(hub):
    """Speech that knows four classes must not veto the fear that the text is sure of."""
    model, _ = load_ready_made(speech(hub), text(hub))
    with torch.no_grad():
        even = encoded([0.25, 0.25, 0.25, 0.0, 0.25, 0.0, 0.0])
        afraid = encoded([0.05, 0.05, 0.05, 0.0, 0.0, 0.85, 0.0])
        found = model(Features(even, afraid)).logits.softmax(-1)[0]
    assert EMOTIONS[int(found.argmax())] == "fear"


@pytest.mark.parametrize("given", ["speech", "text"])
def test_either_may_be_absent(hub, given):
    both, processor = load_ready_made(speech(hub), text(hub))
    alone, own = load_ready_made(**{given: {"speech": speech, "text": text}[given](hub)})
    assert alone.specification.modalities == (Modality(given),)
    assert alone.specification.required == (Modality(given),)
    clip, tokens = processor.prepare(voice(0.6)), processor.tokenize("happy")
    wanted = {"speech": {"speech": [clip]}, "text": {"texts": [tokens]}}[given]
    with torch.no_grad():
        for model, prepare in ((both, processor), (alone, own)):
            output = model(model.encode(prepare.batch(**wanted)))
            assert output.attentions["modality"].tolist() == [
                [1.0, 0.0] if given == "speech" else [0.0, 1.0]
            ]
            assert float(output.logits.exp().sum()) == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(ValueError, match="nothing was given"):
        alone.encode(ModelInputs())


def test_a_model_over_spectrograms_is_taken_too(hub):
    model, processor = load_ready_made(speech(hub, "spectrogram"))
    assert not processor.config.normalise
    from transformers import WhisperFeatureExtractor

    front = WhisperFeatureExtractor.from_pretrained(hub / "spectrogram")
    clip = voice(1.0)
    with backbone.quiet(), torch.no_grad():
        reference = AutoModelForAudioClassification.from_pretrained(hub / "spectrogram").eval()
        made = front(clip, sampling_rate=16_000, return_tensors="pt").input_features
        expected = reference(made).logits.softmax(-1)[0]
        found = model.encode(processor(clip)).speech.logits[0].exp()
    torch.testing.assert_close(found[[0, 1, 2, 4]], expected, rtol=0, atol=1e-5)


def test_it_is_built_again_from_its_configuration(hub):
    for name in ("audio", "spectrogram"):
        model, processor = load_ready_made(speech(hub, name), text(hub))
        built = ReadyMadeModel.from_config(model.specification, model.config()).eval()
        built.load_state_dict(model.state_dict())
        inputs = processor(voice(0.5), "happy", "en")
        with torch.no_grad():
            one, other = model(model.encode(inputs)), built(built.encode(inputs))
        torch.testing.assert_close(one.logits, other.logits)


def test_an_encoder_that_was_never_made_a_classifier_is_refused(tiny_encoder):
    labels = {"LABEL_0": "happy", "LABEL_1": "sad"}
    with pytest.raises(CheckpointError, match=r"weights missing \(classifier"):
        load_ready_made(Classifier(str(tiny_encoder("wav2vec2_base_like")), labels))


def test_a_classifier_of_the_other_kind_is_refused(hub):
    with pytest.raises(CheckpointError, match="can't be an audio classifier"):
        load_ready_made(Classifier(str(hub / "single"), MANY))
    with pytest.raises(CheckpointError, match="can't be a text classifier"):
        load_ready_made(text=Classifier(str(hub / "audio"), FOUR, languages=("en",)))


def test_text_needs_its_languages_and_weights_are_positive(hub):
    with pytest.raises(ConfigError, match="languages"):
        load_ready_made(text=Classifier(str(hub / "multi"), MANY))
    model, _ = load_ready_made(speech(hub))
    with pytest.raises(ConfigError, match="positive"):
        model.weigh(0.0, 1.0)
    with pytest.raises(ConfigError, match="needs a speech or a text"):
        load_ready_made()

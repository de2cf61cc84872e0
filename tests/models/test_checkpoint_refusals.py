"""What can be wrong with a checkpoint of any architecture is refused before inference."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.checkpoint import load_checkpoint, save_checkpoint, seal
from core.models.encoders.pretrained import (
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.pretrained_processor import PretrainedProcessor
from core.models.ready_made_loading import Classifier, load_ready_made
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from tests.checkpoints import make_checkpoint, voice
from training.generated.classifiers import write_audio_classifier, write_text_classifier

ARCHITECTURES = ("bimodal", "speech_text", "ready_made")
LANGUAGES = ("ko", "en")


def write(folder: Path, model, processor, architecture: str) -> Path:
    save_checkpoint(
        folder,
        model,
        processor,
        name="tiny",
        architecture=architecture,
        training={"seed": 0},
        metrics={},
        card="# Tiny\n",
    )
    return folder


def make_speech_text(folder: Path, encoders: Callable[[str], Path]) -> Path:
    speech = load_pretrained_speech(encoders("wav2vec2_base_like"))
    text = load_pretrained_text(encoders("klue_roberta_like"))
    config = SpeechTextConfig("early")
    specification = make_specification(config, EMOTIONS, languages=LANGUAGES)
    model = SpeechTextModel(specification, config, speech=speech.encoder, text=text.encoder)
    return write(folder, model, make_processor(speech, text, languages=LANGUAGES), "speech_text")


def make_ready_made(folder: Path, root: Path) -> Path:
    labels = {name: name for name in EMOTIONS}
    speech = write_audio_classifier(root / "speech", EMOTIONS)
    text = write_text_classifier(root / "text", EMOTIONS)
    model, processor = load_ready_made(
        Classifier(str(speech), labels), Classifier(str(text), labels, languages=LANGUAGES)
    )
    return write(folder, model, processor, "ready_made")


@pytest.fixture(scope="module")
def originals(tmp_path_factory, tiny_encoder) -> Mapping[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        "bimodal": make_checkpoint(root / "bimodal"),
        "speech_text": make_speech_text(root / "speech_text", tiny_encoder),
        "ready_made": make_ready_made(root / "ready_made", root / "hub"),
    }


@pytest.fixture(params=ARCHITECTURES)
def copy(request, originals, tmp_path) -> Path:
    """A checkpoint that a test may damage."""
    return Path(shutil.copytree(originals[request.param], tmp_path / "tiny"))


def complaint(directory: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(directory)
    assert str(directory) in caught.value.problem
    assert caught.value.remedy
    return str(caught.value)


def change_weights(directory: Path, change) -> None:
    """Change stored weights and make the manifest agree, as a wrong training would."""
    state = load_file(directory / "model.safetensors")
    change(state)
    save_file(state, directory / "model.safetensors")
    seal(directory)


def edit_config(directory: Path, change) -> None:
    path = directory / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def a_weight(state) -> str:
    return sorted(name for name, tensor in state.items() if tensor.is_floating_point())[-1]


def test_an_intact_one_loads_without_a_word_and_answers(copy, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_checkpoint(copy)
    assert capfd.readouterr() == ("", "")
    inputs = loaded.processor(voice(1.0), "정말 기쁘다 오늘", "ko")
    with torch.inference_mode():
        output = loaded.model(loaded.model.encode(inputs))
    assert output.logits.shape == (1, 7)
    assert output.logits.isfinite().all()


def test_a_truncated_file_is_named(copy):
    for path in sorted(copy.rglob("*")):
        if path.is_dir() or path.name == "config.json":
            continue
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        assert f"{path.relative_to(copy).as_posix()} is damaged" in complaint(copy)
        path.write_bytes(content)
    load_checkpoint(copy)


def test_truncated_weights_are_refused_even_if_the_manifest_agrees(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    seal(copy)
    assert "model.safetensors can't be read" in complaint(copy)


def test_a_missing_file_is_named(copy):
    for path in sorted(copy.rglob("*")):
        if path.is_dir() or path.name == "config.json":
            continue
        content = path.read_bytes()
        path.unlink()
        assert f"{path.relative_to(copy).as_posix()} is missing" in complaint(copy)
        path.write_bytes(content)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(copy, value):
    name = a_weight(load_file(copy / "model.safetensors"))
    change_weights(copy, lambda state: state[name].view(-1)[:1].fill_(value))
    assert f"weight {name} is not finite" in complaint(copy)


def test_a_missing_weight_is_named(copy):
    name = a_weight(load_file(copy / "model.safetensors"))
    change_weights(copy, lambda state: state.pop(name))
    assert f"weight {name} is missing" in complaint(copy)


def test_a_weight_of_another_shape_is_named(copy):
    name = a_weight(load_file(copy / "model.safetensors"))
    change_weights(copy, lambda state: state.update({name: torch.zeros(2, 3, 5)}))
    assert f"weight {name} has shape (2, 3, 5)" in complaint(copy)


def test_an_unexpected_weight_is_named(copy):
    change_weights(copy, lambda state: state.update(extra=torch.zeros(1)))
    assert "weight extra is unexpected" in complaint(copy)


@pytest.mark.parametrize("name", ["model.bin", "processor/vocabulary.pkl", "weights.pt", "a.npy"])
def test_a_pickle_is_never_opened(copy, name):
    class Bomb:
        def __reduce__(self):
            return (exit, (1,))

    (copy / name).write_bytes(pickle.dumps(Bomb()))
    assert f"{name} may be a pickle" in complaint(copy)


def test_weights_that_are_a_pickle_are_never_opened(copy):
    torch.save({"a": torch.zeros(1)}, copy / "model.safetensors")
    seal(copy)
    assert "model.safetensors can't be read" in complaint(copy)


@pytest.mark.parametrize("named", ["os:system", "no_such", ""])
def test_an_unknown_architecture_is_refused(copy, named):
    edit_config(copy, lambda values: values.update(architecture=named))
    assert f"no architecture named {named!r}" in complaint(copy)


@pytest.mark.parametrize("steps", [1, 2])
def test_another_architecture_is_refused(copy, steps):
    def rename(values):
        index = ARCHITECTURES.index(values["architecture"])
        values["architecture"] = ARCHITECTURES[(index + steps) % len(ARCHITECTURES)]

    edit_config(copy, rename)
    complaint(copy)


def test_weights_of_another_model_are_told_in_a_sentence_that_can_be_read(originals, tmp_path):
    folder = Path(shutil.copytree(originals["speech_text"], tmp_path / "tiny"))
    shutil.copy(originals["ready_made"] / "model.safetensors", folder / "model.safetensors")
    seal(folder)
    found = complaint(folder)
    assert " more weights" in found
    assert len(found) < 1500


@pytest.mark.parametrize("model", [{}, [], {"speech": {}}, {"speech": 3, "text": []}, {"a": {}}])
def test_a_model_section_that_makes_no_sense_is_refused(copy, model):
    edit_config(copy, lambda values: values.update(model=model))
    complaint(copy)


def test_specification_and_model_must_agree(copy):
    def drop_a_label(values):
        values["specification"]["labels"].pop()

    edit_config(copy, drop_a_label)
    complaint(copy)


def test_a_processor_of_no_kind_is_refused(copy):
    for path in (copy / "processor").glob("*processor.json"):
        path.unlink()
    seal(copy)
    assert "the processor can't be read" in complaint(copy)


@pytest.mark.parametrize("architecture", ["speech_text", "ready_made"])
@pytest.mark.parametrize(
    "change",
    [
        lambda model: model["model"].update(model_type="nonsense"),
        lambda model: model["model"].update(model_type="gpt2"),
        lambda model: model["model"].update(num_hidden_layers=7),
        lambda model: model["model"].update(hidden_size=33),
        lambda model: model["model"].update(hidden_size="wide"),
        lambda model: model.update(colour="red"),
    ],
)
@pytest.mark.parametrize("modality", ["speech", "text"])
def test_an_encoder_that_makes_no_sense_is_refused(
    originals, tmp_path, architecture, change, modality
):
    folder = Path(shutil.copytree(originals[architecture], tmp_path / "tiny"))
    edit_config(folder, lambda values: change(values["model"][modality]))
    complaint(folder)


def test_the_processor_of_pretrained_encoders_comes_back(originals):
    loaded = load_checkpoint(originals["speech_text"])
    assert isinstance(loaded.processor, PretrainedProcessor)
    assert loaded.processor.languages == LANGUAGES
    assert loaded.processor.tokenize("왜").spans[1] == (0, 1)


def test_half_precision_changes_little(originals, tiny_encoder):
    stored = load_checkpoint(originals["speech_text"])
    exact = load_pretrained_speech(tiny_encoder("wav2vec2_base_like")).encoder
    inputs = stored.processor(voice(1.0))
    with torch.inference_mode():
        found = stored.model.encode(inputs).speech.pooled
        expected = exact(inputs).pooled
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-3)

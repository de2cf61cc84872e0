"""A checkpoint of ready-made classifiers, made as a user would."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.models.calibration import Path as JudgedBy
from core.models.calibration import negative_log_likelihood
from core.models.checkpoint import load_checkpoint, read_info, read_training
from tests.training.sounds import voice, write_wav
from training.adopt import Answers, adopt, fit_temperatures, fit_weights
from training.adopt_command import main
from training.adopt_config import AdoptConfig, load_adopt_config, targets
from training.generated.classifiers import write_audio_classifier, write_text_classifier

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs" / "ready_made"
FOUR = CONFIGS / "english_four.yaml"
SPEECH_LABELS = ("neu", "hap", "ang", "sad")
TEXT_LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    write_audio_classifier(root / "audio", SPEECH_LABELS)
    write_text_classifier(root / "text", TEXT_LABELS)
    return root


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Thirty labelled utterances of three speakers, and two that can't be used."""
    root = tmp_path_factory.mktemp("corpus")
    with (root / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "speaker", "label", "language"])
        for index in range(30):
            name = f"{index}.wav"
            write_wav(root / name, voice(0.5, seed=index))
            label = EMOTIONS[index % 7]
            writer.writerow([name, f"I am {label} today", f"S{index % 3}", label, "en"])
        writer.writerow(["missing.wav", "", "S1", "happy", "en"])
        writer.writerow(["0.wav", "", "S1", "bored", "en"])
    return root


def run(hub: Path, out: Path, *more: str) -> int:
    speech, text = str(hub / "audio"), str(hub / "text")
    given = ["--speech", speech, "--text", text, "--labels", str(FOUR), "--out", str(out)]
    return main([*given, *more])


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_example_is_valid_and_reaches_the_classes_it_can(path):
    config = load_adopt_config(path)
    assert config.name == path.stem.replace("_", "-")
    for section in (config.speech, config.text):
        if section is not None:
            classes = set(targets(section.map, section.ignored).values()) - {None}
            assert "neutral" in classes
            assert len(classes) >= 4
    assert "id2label" in path.read_text(encoding="utf-8")


def test_the_examples_group_labels_as_the_corpora_do():
    """One grouping of GoEmotions and of KOTE in the project, not two."""
    for example, corpus in (("english_seven", "goemotions_ekman"), ("korean_kote_text", "kote")):
        file = CONFIGS.parent / "labels" / f"{corpus}.yaml"
        own = load_adopt_config(CONFIGS / f"{example}.yaml").text
        theirs = yaml.safe_load(file.read_text(encoding="utf-8"))
        expected = targets(theirs["map"], theirs["ignored"])
        assert dict(targets(own.map, own.ignored)) == dict(expected)


def test_adopting_writes_a_checkpoint_that_needs_no_folder_any_more(hub, tmp_path, capsys):
    moved = tmp_path / "hub"
    for name in ("audio", "text"):
        (moved / name).mkdir(parents=True)
        for path in (hub / name).iterdir():
            (moved / name / path.name).write_bytes(path.read_bytes())
    assert run(moved, tmp_path / "out") == 0
    for path in sorted(moved.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    said = capsys.readouterr().out
    assert "speech and text" in said
    assert "not calibrated" in said
    loaded = load_checkpoint(tmp_path / "out")
    assert loaded.info.name == "english-four"
    assert loaded.specification.labels == EMOTIONS
    inputs = loaded.processor(voice(0.5), "I am so happy", "en")
    with torch.inference_mode():
        output = loaded.model(loaded.model.encode(inputs))
    assert float(output.logits.softmax(-1).sum()) == pytest.approx(1.0)
    assert "`" + str(moved / "audio") + "`" in (tmp_path / "out" / "README.md").read_text()


def test_calibrating_fits_on_what_the_corpus_has_and_says_whom_it_has_seen(
    hub, corpus, tmp_path, capsys
):
    more = ("--calibrate", "manifest", "--data", str(corpus))
    assert run(hub, tmp_path / "out", *more) == 0
    assert "Calibrated on 30 utterances" in capsys.readouterr().out
    info = read_info(tmp_path / "out")
    assert set(info.calibration.temperatures) == set(JudgedBy)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["calibration_utterances"] == 30
    seen = read_training(info)["trained_on"]["calibration_speakers"]
    assert seen == {"manifest": ["S0", "S1", "S2"]}


def answers(speech_right: float, text_right: float, count: int = 300) -> Answers:
    """Return made-up answers that are right so often, and as sure of themselves as that."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 7, count)

    def said(right: float) -> torch.Tensor:
        chosen = np.where(generator.random(count) < right, truth, generator.integers(0, 7, count))
        probabilities = np.full((count, 7), 0.5 / 6)
        probabilities[np.arange(count), chosen] = 0.5
        return torch.tensor(np.log(probabilities), dtype=torch.float32)

    return Answers(said(speech_right), said(text_right), torch.tensor(truth), ())


def test_the_better_model_gets_the_larger_weight(hub):
    adopted = adopt(load_adopt_config(FOUR), str(hub / "audio"), str(hub / "text"))
    model = adopted.model
    for branch in (model.speech, model.text):  # both can say all seven classes
        branch.matrix = torch.eye(7)
    for speech, text in ((0.9, 0.2), (0.2, 0.9)):
        model.weigh(0.5, 0.5)
        told = answers(speech, text)
        fit_weights(model, told, told.heard(True, True))
        weights = model.fusion.log_scale.detach().exp().tolist()
        assert (weights[0] > 2 * weights[1]) is (speech > text)
        assert (weights[1] > 2 * weights[0]) is (text > speech)


def test_temperatures_repair_the_confidence(hub):
    model = adopt(load_adopt_config(FOUR), str(hub / "audio"), str(hub / "text")).model
    told = answers(0.95, 0.2)
    found = fit_temperatures(model, told)
    assert found[JudgedBy.SPEECH_RAW] < 1 < found[JudgedBy.TEXT]
    assert found[JudgedBy.SPEECH_RAW] == found[JudgedBy.SPEECH_PERSONAL]
    truth = told.truth.numpy()
    for logits, path in ((told.speech, JudgedBy.SPEECH_RAW), (told.text, JudgedBy.TEXT)):
        scores = logits.double().numpy()
        repaired = negative_log_likelihood(scores, truth, found[path])
        assert repaired < negative_log_likelihood(scores, truth, 1.0)


def test_too_little_to_calibrate_on_is_said(hub, corpus, tmp_path, capsys):
    (tmp_path / "few").mkdir()
    rows = (corpus / "manifest.csv").read_text(encoding="utf-8").splitlines()[:6]
    (tmp_path / "few" / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for index in range(5):
        write_wav(tmp_path / "few" / f"{index}.wav", voice(0.5))
    more = ("--calibrate", "manifest", "--data", str(tmp_path / "few"))
    assert run(hub, tmp_path / "out", *more) == 2
    assert "Only 5 utterances" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--speech", "audio", "--calibrate", "manifest"], "go together"),
        ([], "No model is given"),
        (["--speech", "no/such/folder"], "not a folder"),
        (["--speech", "owner/name"], "download it elsewhere"),
        (["--speech", "text"], "can't be an audio classifier"),
        (["--speech", "audio", "--calibrate", "manifest", "--data", "nowhere"], "nowhere"),
        (["--speech", "audio", "--calibrate", "kemdy99", "--data", "."], "no corpus 'kemdy99'"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(
    hub, tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(hub)
    given = [*arguments, "--labels", str(FOUR), "--out", str(tmp_path / "out")]
    assert main(given) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name: a", "labels of a speech or of a text"),
        ("name: a\nspeech: {map: {joy: [hap]}}", "'joy' is not one of"),
        ("name: a\nspeech: {map: {happy: [hap], sad: [hap]}}", "occurs twice"),
        ("name: a\nspeech: {map: {happy: [hap]}, ignored: {hap: twice}}", "occurs twice"),
        ("name: a\nspeech: {map: {happy: [hap]}, colour: red}", "colour"),
        ("name: a\ntext: {map: {happy: [joy]}}", "languages"),
        ("name: a\ntext: {map: {happy: [joy]}, languages: []}", "languages"),
        ("name: a\nspeech: {map: {happy: [x]}}\nweights: {speech: 0}", "positive"),
        ("speech: {map: {happy: [x]}}", "'name' is missing"),
    ],
)
def test_a_labels_file_that_makes_no_sense_is_refused(tmp_path, content, expected):
    path = tmp_path / "labels.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=expected):
        load_adopt_config(path)


def test_a_model_without_labels_is_refused(hub):
    config = load_adopt_config(CONFIGS / "korean_kote_text.yaml")
    assert isinstance(config, AdoptConfig)
    with pytest.raises(ConfigError, match="says nothing about speech"):
        adopt(config, str(hub / "audio"), None)

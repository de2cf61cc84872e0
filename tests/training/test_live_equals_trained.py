"""What the app says with a checkpoint of compact encoders is what was calibrated and reported."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.calibration import UNTEMPERED, Calibration, softmax
from core.models.calibration import Path as Way
from core.models.checkpoint import load_checkpoint, read_info
from core.models.processor import Processor, ProcessorConfig
from core.models.specification import Problem
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.resources import embedded_checkpoint
from core.types import Transcript, Utterance
from tests.checkpoints import voice
from tests.training.sounds import write_wav
from training import system_encoders
from training.adopt import adopt, fit, write
from training.adopt_config import load_adopt_config
from training.data.corpora.registry import read_corpus
from training.data.example import Example
from training.data.loading import AudioLoader
from training.data.targets import targets_of
from training.generated.classifiers import write_text_classifier
from training.progress import Reporter
from training.stages import StageContext
from training.system import run
from training.system_config import SystemConfig
from training.system_encoders import load_encoders
from training.system_training import Said, calibrate

from . import generated_kemdy

LONG = 12.5
"""Seconds: beyond what the embedded checkpoint judges at once, within the longest utterance."""
ADOPTED = Path(system_encoders.__file__).parent / "configs" / "ready_made" / "english_four.yaml"
COMPACT = {"model": "embedded", "kind": "compact"}
CHANGES = {
    "system": "late",
    "corpus": {"name": "manifest"},
    "speech": COMPACT,
    "text": {**COMPACT, "languages": ["en", "ko"]},
    "features": {"sequence": "none"},
    "half": True,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of one's own: six speakers, short utterances, and a long one each."""
    folder = tmp_path_factory.mktemp("table")
    labels, words = ("neutral", "happy", "sad"), ("we wait here", "so good today", "all is lost")
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "text", "speaker", "label", "language"])
        for index in range(48):
            seconds = LONG if index % 8 == 7 else 0.6 + 0.1 * (index % 5)
            name, kind = f"{index}.wav", index % 3
            write_wav(folder / name, voice(seconds, 110.0 + 25 * (index // 8), seed=index))
            text = f"{words[kind]} number {index}"
            rows.writerow([name, text, f"S{index // 8}", labels[kind], "en"])
    return folder


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a system trained on the embedded encoders."""
    out = tmp_path_factory.mktemp("trained")
    (out / "system").mkdir()
    config = generated_kemdy.config(table, **CHANGES)
    run(config, StageContext("system", table, out, 7, False, False, Reporter(silent=True)))
    return out / "system"


@pytest.fixture(scope="module")
def analyzer(trained: Path) -> ModelAnalyzer:
    return load_analyzer(trained / "checkpoint", device="cpu")


def reported(trained: Path, table: Path) -> list[tuple[Example, list[float]]]:
    """Return examples of the test part, speaker by speaker, with their reported probabilities."""
    examples = {example.id: example for example in read_corpus("manifest", table).examples}
    labels = read_info(trained / "checkpoint").specification.labels
    with (trained / "predictions.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["speaker"])
    return [(examples[r["id"]], [float(r[f"p_{name}"]) for name in labels]) for r in rows]


def heard(index: int, example: Example) -> Utterance:
    samples = AudioLoader().samples(example)
    return Utterance(index, 0, samples.size, samples, speaker=example.speaker)


def test_the_app_says_what_was_reported_however_much_it_has_heard_of_a_speaker(
    trained: Path, table: Path, analyzer: ModelAnalyzer
) -> None:
    rows = reported(trained, table)
    utterances = [heard(index, example) for index, (example, _) in enumerate(rows)]
    assert any(utterance.samples.size > LONG * 15_000 for utterance in utterances)
    for utterance, (example, expected) in zip(utterances, rows, strict=True):
        said = analyzer.final(utterance, Transcript(example.text or "", language="en"))
        assert said is not None
        np.testing.assert_allclose(said.probabilities, expected, atol=1e-3)
        assert said.baseline_seconds == 0
        analyzer.remember(utterance)


def test_short_speech_alone_has_the_fitted_temperature_and_nothing_beside_it(
    trained: Path, table: Path, analyzer: ModelAnalyzer
) -> None:
    loaded = load_checkpoint(trained / "checkpoint")
    assert loaded.calibration.short_speech == UNTEMPERED
    example = reported(trained, table)[0][0]
    said = analyzer.final(heard(100, example), None)
    assert said is not None
    with torch.inference_mode():
        inputs = loaded.processor(AudioLoader().samples(example))
        logits = loaded.model(loaded.model.encode(inputs)).logits.double().numpy()
    expected = softmax(logits / loaded.calibration.temperature(Way.SPEECH_RAW))[0]
    np.testing.assert_allclose(said.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("problem", "variant"),
    [("single_label", "corrected"), ("multi_label", "corrected"), ("multi_label", "paper")],
)
def test_no_calibration_of_a_system_makes_more_of_the_length(problem: str, variant: str) -> None:
    several = problem == "multi_label"
    config = generated_kemdy.config(
        Path("nowhere"), variant=variant, problem=problem,
        corpus={"name": "kemdy20"}, split={"labels": "all" if several else "single"},
        loss={"emotion": "bce" if several else "cross_entropy"},
    )  # fmt: skip
    examples = [Example("a", str(i), text="a", labels=("ab"[i % 2],)) for i in range(8)]
    logits = np.random.default_rng(0).normal(size=(8, 2))
    targets = targets_of(examples, ("a", "b"), Problem(problem))
    assert calibrate(Said(logits, {}, {}), targets, config).short_speech == UNTEMPERED


def test_what_is_not_calibrated_is_not_tempered_either(table: Path, tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    config = generated_kemdy.config(table, **CHANGES, selection="test")
    run(config, StageContext("system", table, tmp_path, 7, False, False, Reporter(silent=True)))
    calibration = read_info(tmp_path / "system" / "checkpoint").calibration
    assert calibration == Calibration(short_speech=UNTEMPERED)


def test_ready_made_classifiers_are_tempered_by_what_was_fitted_alone(tmp_path: Path) -> None:
    names = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
    write_text_classifier(tmp_path / "text", names)
    labels = load_adopt_config(ADOPTED)
    adopted = adopt(labels, None, str(tmp_path / "text"))
    examples = [
        Example("a", str(i), text=f"so it is {i}", language="en", labels=(("happy", "sad")[i % 2],))
        for i in range(20)
    ]
    fitted = fit(adopted, examples, Reporter(silent=True))
    for name, found in (("fitted", fitted), ("as it is", None)):
        write(adopted, tmp_path / name, found)
        assert read_info(tmp_path / name).calibration.short_speech == UNTEMPERED


def test_a_checkpoint_says_how_it_was_trained_and_older_ones_are_as_they_were(
    trained: Path,
) -> None:
    written = trained / "checkpoint" / "processor" / "processor.json"
    values = json.loads(written.read_text(encoding="utf-8"))
    assert values["personal"] is False
    assert values["longest_seconds"] is None
    embedded = Processor.load(embedded_checkpoint() / "processor")
    assert embedded.config.personal
    assert embedded.config.longest_seconds == 10.0
    assert ProcessorConfig.from_dict(values).to_dict() == values


def test_a_processor_without_personal_baselines_leaves_one_out() -> None:
    processor = load_encoders(generated_kemdy.config(Path("nowhere"), **CHANGES)).processor
    assert isinstance(processor, Processor)
    measures = processor.measure(voice(3.0, 220.0))
    baseline = processor.new_baseline()
    baseline.update(measures.frames, measures.functionals)
    with_it, without = processor.normalise(measures, baseline), processor.normalise(measures)
    np.testing.assert_array_equal(with_it.frames, without.frames)
    assert len(processor.chunks(np.zeros((2000, 68), np.float32))[0]) == 1


def test_the_languages_of_a_compact_encoder_are_those_chosen() -> None:
    def chosen(*languages: str) -> SystemConfig:
        text = {**COMPACT, "languages": list(languages)}
        return generated_kemdy.config(Path("nowhere"), **{**CHANGES, "text": text})

    assert load_encoders(chosen("ko")).processor.config.languages == ("ko",)
    with pytest.raises(ConfigError, match="not trained on pl"):
        load_encoders(chosen("en", "pl"))

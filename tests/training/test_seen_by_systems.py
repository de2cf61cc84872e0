"""What a trained system names as seen, what its card says, and what `evaluate` makes of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.labels import EMOTIONS
from core.models.checkpoint import read_training
from core.models.manifest import read_info
from training import config as configuration
from training import trained_on
from training.adopt import adopt, write
from training.adopt_config import load_adopt_config
from training.data.example import Example
from training.evaluate import main as evaluate
from training.evaluation.seen import Seen
from training.generated.classifiers import write_text_classifier
from training.train_command import main as train

from ..checkpoints import make_checkpoint
from .sounds import voice, write_wav

CONFIGS = Path(configuration.__file__).parent / "configs"
OWN_DATA = CONFIGS / "own_data.yaml"
SPEAKERS = tuple(f"B{number}" for number in range(6))
TAKES = 6


def write_speech(folder: Path, corpus: str = "ravdess", *, known: bool = True) -> Path:
    """Write `folder/speech/manifest.csv` as `evaluate` and the reader of manifests take it."""
    speech = folder / "speech"
    speech.mkdir(parents=True)
    with (speech / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "corpus", "speaker", "emotion", "text", "language"])
        for number, who in enumerate(SPEAKERS):
            for take in range(TAKES):
                name = f"{who}_{take}.wav"
                write_wav(speech / name, voice(0.5, seed=TAKES * number + take))
                emotion = EMOTIONS[take % 2]
                said = f"{who} says {take} words"
                rows.writerow([name, corpus, who if known else "", emotion, said, "en"])
    return folder


def train_on(folder: Path, out: Path, encoders: Path, **changes: Any) -> Path:
    """Train a small system with compact encoders; return its checkpoint."""
    mapping = configuration.read_yaml(OWN_DATA)
    mapping |= {"system": "early", "half": False, "augment": {}}
    mapping["corpus"] = {"name": "manifest", "path": "speech"}
    for modality in ("speech", "text"):
        mapping[modality]["model"] = str(encoders)
    mapping["split"] = {"folds": 3, "validation": 0.3}
    mapping["trainer"] |= {"epochs": 1, "patience": 0, "device": "cpu"}
    mapping |= changes
    configuration.dump(mapping, out.with_suffix(".yaml"))
    assert train([str(out.with_suffix(".yaml")), "--data", str(folder), "--out", str(out)]) == 0
    return out / "system" / "checkpoint"


def section(checkpoint: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_training(read_info(checkpoint))["trained_on"]
    return found


def card(checkpoint: Path) -> str:
    return (checkpoint / "README.md").read_text(encoding="utf-8")


def scored(checkpoint: Path, data: Path, out: Path) -> dict[str, Any]:
    assert evaluate([str(checkpoint), "--data", str(data), "--json", str(out)]) == 0
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def held_out(checkpoint: Path) -> set[str]:
    path = checkpoint.parent / "predictions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["speaker"].removeprefix("ravdess/") for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Encoders that were trained on others."""
    named = {"speakers": {"ravdess": ["A90"]}, "texts": [{"corpus": "kote", "part": "train"}]}
    return make_checkpoint(tmp_path_factory.mktemp("encoders") / "tiny", trained_on=named)


@pytest.fixture(scope="module")
def system(data: Path, strangers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_on(data, tmp_path_factory.mktemp("system") / "out", strangers)


def test_a_system_names_its_own_speakers_and_those_of_its_encoders(
    system: Path, data: Path
) -> None:
    seen = section(system)
    fitted, chose = set(seen["speakers"]["ravdess"]), set(seen["calibration_speakers"]["ravdess"])
    assert "A90" in fitted
    assert chose
    assert not fitted & chose
    assert (fitted | chose) - {"A90"} == set(SPEAKERS) - held_out(system)
    assert {"corpus": "kote", "part": "train"} in seen["texts"]
    assert seen["unknown"] == []


def test_no_transcript_leaves_with_a_checkpoint(system: Path) -> None:
    seen = Seen.from_training(read_training(read_info(system)))
    assert "words" not in (system / "training.yaml").read_text(encoding="utf-8")
    heard = {w for w in SPEAKERS if seen.script("ravdess", f"{w}  SAYS 1 words!")}
    assert heard == set(SPEAKERS) - held_out(system)


def test_evaluate_scores_only_those_whom_a_system_was_not_trained_on(
    system: Path, data: Path, tmp_path: Path
) -> None:
    found = scored(system, data, tmp_path / "r.json")["corpora"]["ravdess"]
    assert found["speakers"] == len(held_out(system)) < len(SPEAKERS)
    assert any("trained on the speaker" in note for note in found["notes"])


def test_evaluate_says_where_speakers_have_other_names_of_a_corpus(
    system: Path, tmp_path: Path
) -> None:
    folder = write_speech(tmp_path / "renamed", "mine")
    notes = scored(system, folder, tmp_path / "r.json")["notes"]
    told = next(note for note in notes if note.startswith("CAUTION: mine"))
    assert "speakers of ravdess have the same names" in told
    assert not any(who in told for who in held_out(system))


@pytest.mark.parametrize("named", [None, {}, {"speakers": {}}])
def test_evaluate_calls_nothing_unseen_that_a_checkpoint_does_not_speak_of(
    named: Mapping[str, Any] | None, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = make_checkpoint(tmp_path / "tiny", trained_on=named)
    notes = scored(checkpoint, data, tmp_path / "r.json")["notes"]
    assert any("does not say what it was trained on" in note for note in notes)
    assert "CAUTION" in capsys.readouterr().out


def test_evaluate_says_what_is_not_known(data: Path, tmp_path: Path) -> None:
    named = trained_on.of_makers(("owner/name",))
    checkpoint = make_checkpoint(tmp_path / "tiny", trained_on=named)
    notes = scored(checkpoint, data, tmp_path / "r.json")["notes"]
    assert any("what the makers of owner/name trained it on" in note for note in notes)


def test_rows_without_a_speaker_are_named_by_their_clips(strangers: Path, tmp_path: Path) -> None:
    folder = write_speech(tmp_path / "nobody", known=False)
    split = {"kind": "segments", "folds": 3, "validation": 0.3}
    checkpoint = train_on(folder, tmp_path / "out", strangers, split=split)
    with (checkpoint.parent / "predictions.csv").open(encoding="utf-8", newline="") as file:
        kept = {row["id"] for row in csv.DictReader(file)}
    clips = set(section(checkpoint)["clips"]["ravdess"])
    assert not clips & kept
    assert len(clips | kept) == TAKES * len(SPEAKERS)
    found = scored(checkpoint, folder, tmp_path / "r.json")["corpora"]["ravdess"]
    assert f"{len(clips)} (trained on the clip)" in " ".join(found["notes"])


def test_the_card_calls_strangers_strangers(system: Path) -> None:
    assert "had met none of these speakers and rows before" in card(system)
    assert "chosen on these very rows" not in card(system)
    assert "never saw" not in card(system)


def test_the_card_says_whom_the_encoders_had_heard(data: Path, tmp_path: Path) -> None:
    heard = {"ravdess": list(SPEAKERS)}
    encoders = make_checkpoint(tmp_path / "tiny", trained_on={"speakers": heard})
    checkpoint = train_on(data, tmp_path / "out", encoders)
    rows = TAKES * len(held_out(checkpoint))
    assert f"trained or calibrated on {rows} of its {rows} rows" in card(checkpoint)
    assert "had met none" not in card(checkpoint)


def test_the_card_and_the_section_say_that_the_epoch_was_chosen_on_the_test_part(
    data: Path, tmp_path: Path
) -> None:
    silent = make_checkpoint(tmp_path / "tiny")
    split = {"kind": "segments", "folds": 3, "validation": 0.0}
    checkpoint = train_on(data, tmp_path / "out", silent, split=split, selection="test")
    assert "The epoch was chosen on these very rows" in card(checkpoint)
    assert "are of speakers who were trained on" in card(checkpoint)
    assert "Not known here: what tiny" in card(checkpoint)
    seen = section(checkpoint)
    assert set(seen["calibration_speakers"]["ravdess"]) == held_out(checkpoint)
    assert seen["unknown"][0].startswith("what tiny")


def text(file: str, row: int) -> Example:
    part = {"val": "dev"}.get(file, file)
    at = f"some/where/{file}.tsv:{row + 1}"
    return Example("kote", f"{part}/{row}", text="안녕", part=part, source=at)


def test_rows_of_text_corpora_are_named_as_evaluate_counts_them() -> None:
    seen = Seen.from_training(
        {
            "trained_on": trained_on.union(
                (
                    trained_on.of_examples(
                        [text("train", 3), text("val", 5)], [text("val", 6)], [text("val", 7)]
                    ),
                    {"texts": [{"corpus": "kote", "part": "val", "rows": [9]}]},
                )
            )
        }
    )
    assert [row for row in range(11) if seen.row("kote", "val", row)] == [5, 6, 9]
    assert seen.row("kote", "train", 99)
    assert not seen.row("kote", "test", 0)
    assert trained_on.is_heard(seen, text("val", 6))
    assert not trained_on.is_heard(seen, text("val", 7))


def test_of_ready_made_models_it_says_that_their_training_is_not_known(tmp_path: Path) -> None:
    labels = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
    model = str(write_text_classifier(tmp_path / "text", labels))
    config = load_adopt_config(CONFIGS / "ready_made" / "english_four.yaml")
    written = write(adopt(config, None, model), tmp_path / "out")
    assert section(written.path)["unknown"] == [f"what the makers of {model} trained it on"]

"""Four checkpoints become one that averages their probabilities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.labels import EMOTIONS
from core.models.checkpoint import load_checkpoint, read_training, save_checkpoint, seal
from core.models.encoders.pretrained import (
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.manifest import read_info
from core.models.outputs import ModelInputs
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from core.models.systems.hybrid import VOTERS
from training.generated.encoders import write_encoder
from training.vote_command import main

OPTIONS = {"residual": {"hidden": 5}, "rsa_cfn": {"projection": 4, "attention": 3, "hidden": 6}}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("encoders")
    speech = write_encoder("wav2vec2_base_like", folder / "speech", width=16)
    return speech, write_encoder("klue_roberta_like", folder / "text", width=16)


def write(
    system: str,
    encoders: tuple[Path, Path],
    folder: Path,
    *,
    tuned: float = 0.0,
    split: str = "s",
    heard: str = "",
) -> Path:
    """A checkpoint of a system; `tuned` moves a weight of its speech encoder."""
    trained_on = {"speakers": {"mine": [heard]}, "unknown": ["the rest"]} if heard else {}
    torch.manual_seed(len(system))
    speech, text = load_pretrained_speech(encoders[0]), load_pretrained_text(encoders[1])
    with torch.no_grad():
        next(speech.encoder.parameters()).add_(tuned)
    config = SpeechTextConfig(system, head=OPTIONS.get(system, {}))
    specification = make_specification(config, EMOTIONS, languages=("ko",))
    model = SpeechTextModel(specification, config, speech=speech.encoder, text=text.encoder)
    save_checkpoint(
        folder / system,
        model,
        make_processor(speech, text, languages=("ko",)),
        name=f"my {system}",
        architecture="speech_text",
        training={"split": {"digest": split}, "trained_on": trained_on},
        metrics={},
        card="Tiny.",
        half=False,
    )
    return folder / system


def probabilities(folder: Path) -> np.ndarray:
    loaded = load_checkpoint(folder)
    sound = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    inputs: ModelInputs = loaded.processor(sound, "오늘은 정말 좋아요", "ko")
    with torch.inference_mode():
        model = loaded.model
        return model(model.encode(inputs)).logits.softmax(-1).numpy()


@pytest.mark.parametrize("tuned", [False, True])
def test_the_vote_averages_what_the_checkpoints_say(
    tuned: bool,
    encoders: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = [
        write(system, encoders, tmp_path, tuned=0.3 * number * tuned)
        for number, system in enumerate(VOTERS)
    ]
    out = tmp_path / "vote"
    given = [str(folder) for folder in reversed(folders)]
    assert main([*given, "--out", str(out), "--name", "all four"]) == 0
    assert "Written" in capsys.readouterr().out
    mean = np.mean([probabilities(folder) for folder in folders], axis=0)
    np.testing.assert_allclose(probabilities(out), mean, atol=2e-3)  # stored in fp16
    info = load_checkpoint(out).info
    assert (info.name, info.architecture) == ("all four", "voting" if tuned else "speech_text")
    assert set(read_training(info)["vote"]) == set(VOTERS)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "my residual" in card
    assert "the same part of the same split" in card


def test_members_of_other_splits_leave_no_test_part(
    encoders: tuple[Path, Path], tmp_path: Path
) -> None:
    folders = [write(s, encoders, tmp_path, split=s[:1]) for s in VOTERS]
    assert main([*map(str, folders), "--out", str(tmp_path / "vote")]) == 0
    assert "no test part is left" in (tmp_path / "vote" / "README.md").read_text(encoding="utf-8")


def test_the_vote_has_heard_everybody_whom_a_member_has(
    encoders: tuple[Path, Path], tmp_path: Path
) -> None:
    folders = [
        write(s, encoders, tmp_path, heard=name) for s, name in zip(VOTERS, "abc", strict=False)
    ]
    folders.append(write(VOTERS[3], encoders, tmp_path))
    assert main([*map(str, folders), "--out", str(tmp_path / "vote")]) == 0
    seen = read_training(read_info(tmp_path / "vote"))["trained_on"]
    assert seen["speakers"] == {"mine": ["a", "b", "c"]}
    of_the_fourth, rest = sorted(seen["unknown"], key=len, reverse=True)
    assert of_the_fourth.startswith(f"what my {VOTERS[3]}")
    assert rest == "the rest"


def test_what_can_not_vote_is_refused_in_a_sentence(
    encoders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, late, residual = (str(write(s, encoders, tmp_path)) for s in VOTERS[:3])
    out = ["--out", str(tmp_path / "vote")]
    assert main([early, late, residual, early, *out]) == 2
    assert "both early" in capsys.readouterr().err
    stack = str(write("stack", encoders, tmp_path))
    assert main([early, late, residual, stack, *out]) == 2
    assert "no checkpoint of rsa_cfn" in capsys.readouterr().err
    assert main([early, late, residual, str(tmp_path / "nowhere"), *out]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "vote").exists()


def test_members_that_prepare_speech_differently_are_refused(
    encoders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(write(s, encoders, tmp_path)) for s in VOTERS]
    changed = tmp_path / "late" / "processor" / "pretrained_processor.json"
    values = json.loads(changed.read_text(encoding="utf-8"))
    values["longest_seconds"] = 3.0
    changed.write_text(json.dumps(values), encoding="utf-8")
    seal(tmp_path / "late")
    assert main([*folders, "--out", str(tmp_path / "vote")]) == 2
    assert "prepare speech or text differently" in capsys.readouterr().err

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.models.manifest import CheckpointInfo, read_info
from core.models.runtimes.base import Mode, Precision, Speech, UnfitError
from core.models.runtimes.packed import Packed
from core.pipeline.analyzer import ModelAnalyzer, Wishes
from core.quality import RULE, passed
from core.quality import check as checking
from core.quality.answers import Clip
from core.quality.check import Checker, equipped, lossy_modes, parse_modes
from core.quality.material import RECORDINGS, Material
from core.quality.rule import TOO_FEW
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import SENTENCES, make_checkpoint, make_speech_text_checkpoint, voice

BF16 = Mode("packed", Precision.BF16)


def material(count: int = 4) -> Material:
    clips = []
    for index in range(count):
        samples = voice(0.6 + 0.1 * index, pitch=110.0 + 20 * index, seed=index)
        utterance = Utterance(index, 0, samples.size, samples)
        clips.append(Clip(utterance, Transcript(SENTENCES[index % 3], language="en")))
    return Material(RECORDINGS, "voices", tuple(clips))


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> CheckpointInfo:
    folder = tmp_path_factory.mktemp("quality") / "checkpoint"
    return read_info(make_speech_text_checkpoint(folder, pretrained=True))


def test_each_mode_of_each_encoder_gets_a_verdict_and_a_few_clips_prove_nothing(
    info: CheckpointInfo, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    checker = Checker(
        info,
        store=tmp_path / "store",
        cache=tmp_path / "cache",
        tell=lambda *what: told.append(what),
    )
    assert checker.encoders == (Modality.SPEECH, Modality.TEXT)
    found = list(checker.run(material(), [BF16]))
    assert [(one.modality, one.mode) for one in found] == [
        (Modality.SPEECH, BF16),
        (Modality.TEXT, BF16),
    ]
    for one in found:
        assert one.record is not None, one.problem
        assert one.record.clips == 4
        assert TOO_FEW in one.record.objections
        assert 0 < one.record.largest_shift < 0.5
        assert passed(info.digest, one.modality, BF16, tmp_path / "store") is None
    assert told[-1] == (f"text by {BF16}", 4, 4)


def test_a_mode_that_passes_is_what_the_runtimes_then_find(
    info: CheckpointInfo, tmp_path: Path
) -> None:
    lenient = replace(RULE, agreement=0.5, outright=0.1, shift=1.0, revision=7)
    checker = Checker(info, rule=lenient, store=tmp_path, cache=tmp_path / "cache")
    for one in checker.run(material(6), [BF16]):
        assert one.record is not None
        found = passed(info.digest, one.modality, BF16, tmp_path, lenient)
        assert (found is not None) == one.record.passed
        assert passed(info.digest, one.modality, BF16, tmp_path) is None  # by the rule in force


def test_one_encoder_is_judged_while_the_other_stays_exact(
    info: CheckpointInfo, tmp_path: Path
) -> None:
    one = material(1).clips[0]
    exact = ModelAnalyzer(info, Wishes("cpu", "torch", tmp_path))
    lossy, problem = equipped(info, Modality.TEXT, BF16, tmp_path)
    results = [a.final(one.utterance, one.transcript) for a in (exact, lossy)]
    assert problem == ""
    known, found = (result.by_modality for result in results if result is not None)
    assert found[Modality.SPEECH] == pytest.approx(known[Modality.SPEECH], abs=1e-6)
    assert found[Modality.TEXT] != known[Modality.TEXT]


def test_beside_a_mode_that_passed_the_next_encoder_is_judged_together_with_it(
    info: CheckpointInfo, tmp_path: Path
) -> None:
    lenient = replace(RULE, agreement=0.5, outright=0.1, shift=1.0)
    checker = Checker(info, rule=lenient, store=tmp_path, cache=tmp_path / "cache")
    speech, text = (one.record for one in checker.run(material(6), [BF16]))
    assert speech is not None
    assert text is not None
    assert (speech.passed, speech.beside, text.beside) == (True, "", str(BF16))
    alone, _ = equipped(info, Modality.TEXT, BF16, tmp_path / "cache")
    both, _ = equipped(info, Modality.TEXT, BF16, tmp_path / "cache", BF16)
    one = material(1).clips[0]
    heard = [a.final(one.utterance, one.transcript) for a in (alone, both)]
    exact, lossy = (result.by_modality for result in heard if result is not None)
    assert exact[Modality.SPEECH] != lossy[Modality.SPEECH]
    assert exact[Modality.TEXT] == pytest.approx(lossy[Modality.TEXT], abs=1e-6)


def test_a_mode_whose_package_is_missing_is_not_checked(
    info: CheckpointInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "missing", lambda mode: ("openvino",))
    checker = Checker(info, store=tmp_path, cache=tmp_path / "cache")
    for one in checker.run(material(1), [Mode("openvino", Precision.BF16)]):
        assert (one.record, one.problem) == (None, "needs openvino")


def test_a_mode_that_does_not_work_here_is_not_checked_and_says_why(
    info: CheckpointInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Packed, encoder: object) -> Speech:
        raise UnfitError("this processor lacks an instruction")

    monkeypatch.setattr(Packed, "speech", refuse)
    checker = Checker(info, store=tmp_path / "store", cache=tmp_path / "cache")
    speech, text = checker.run(material(1), [BF16])
    assert speech.record is None
    assert "lacks an instruction" in speech.problem
    assert text.record is not None


def test_a_mode_that_breaks_on_a_clip_is_not_checked_and_the_others_are(
    info: CheckpointInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, calls = checking.answers_of, iter(["exact", "speech", "text"])

    def fragile(*arguments: Any) -> Any:
        if next(calls) == "speech":
            raise RuntimeError("unsupported shape")
        return judge(*arguments)

    monkeypatch.setattr(checking, "answers_of", fragile)
    checker = Checker(info, store=tmp_path / "store", cache=tmp_path / "cache")
    speech, text = checker.run(material(2), [BF16])
    assert speech.problem == "RuntimeError: unsupported shape"
    assert text.record is not None


def test_compact_encoders_have_no_lossy_mode(tmp_path: Path) -> None:
    checker = Checker(read_info(make_checkpoint(tmp_path / "compact")), store=tmp_path / "store")
    assert checker.encoders == ()
    assert list(checker.run(material(1), [BF16])) == []
    assert not (tmp_path / "store").exists()


def test_only_single_lossy_modes_can_be_checked() -> None:
    assert parse_modes(["packed:bf16", "packed:bf16"]) == (BF16,)
    assert set(parse_modes([])) <= set(lossy_modes())
    with pytest.raises(ConfigError, match="equal outputs"):
        parse_modes(["packed"])
    with pytest.raises(ConfigError, match="no single mode"):
        parse_modes(["lossy"])
    with pytest.raises(ConfigError, match="no encoder runtime"):
        parse_modes(["abacus"])

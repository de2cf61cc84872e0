from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.bench import TOPICS
from core.bench.architectures import SpeechShape
from core.bench.report import Measurement
from core.errors import EmoscopeError
from core.models.adapters import adapter_names
from core.models.adapters.config import AdapterConfig
from core.models.checkpoint import load_checkpoint
from core.models.two_stage import HEAD_PREFIXES, TwoStageModel
from core.personal.corrections import CorrectionStore
from training.bench import (
    adapter_files,
    adapter_inference,
    adapter_training,
    adapters,
    personal_adapters,
)
from training.bench.adapter_subjects import (
    CACHED,
    FULL,
    STAGE_2,
    Way,
    convolved,
    from_features,
    from_waveforms,
    model,
    shaken,
    stepping,
    waveforms,
)
from training.bench.adapter_training import Given

pytest.importorskip("peft", reason="adapters are trained with peft")

SHAPE = SpeechShape("speech", 64, 2, 4, 32)
GIVEN = Given(SHAPE, rows=2, seconds=0.5)
ONEDNN = replace(STAGE_2, name="oneDNN", onednn=True)
HALF = replace(STAGE_2, name="bf16", precision="bf16")


def weights(made: TwoStageModel) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in made.state_dict().items()}


def changed(made: TwoStageModel, before: Mapping[str, Tensor]) -> set[str]:
    return {name for name, now in made.state_dict().items() if not torch.equal(now, before[name])}


def still(adapters: AdapterConfig | None = None) -> TwoStageModel:
    made = model(SHAPE, adapters).eval()
    if adapters is not None:
        shaken(made, seed=3)
    return made


def encoded(made: torch.nn.Module, rows: Tensor) -> Tensor:
    speech = made.speech if isinstance(made, TwoStageModel) else made
    with torch.no_grad():
        found: Tensor = speech.contextualise(speech.convolve(rows))  # type: ignore[operator]
    return found


def test_the_topic_is_there() -> None:
    assert TOPICS["adapters"].function is adapters.measure


def test_without_enough_memory_it_says_how_much_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "NEEDED", 1e18)
    with pytest.raises(EmoscopeError, match=r"takes 1000000000 GB.*--quick"):
        adapters.measure(quick=False)


@pytest.mark.parametrize("way", [STAGE_2, CACHED, ONEDNN, HALF], ids=lambda way: way.name)
def test_stage_2_trains_adapters_and_heads_alone(way: Way) -> None:
    made = model(SHAPE, AdapterConfig())
    rows = waveforms(2, 0.5)
    step = stepping(way, made, convolved(made, rows) if way.cached else rows)
    step()  # what follows a zero learns from the second step on
    before = weights(made)
    step()
    ours = adapter_names(made) | {n for n in before if n.startswith(HEAD_PREFIXES)}
    assert changed(made, before) == ours


def test_full_fine_tuning_trains_every_part() -> None:
    made = model(SHAPE, None)
    before = weights(made)
    stepping(FULL, made, waveforms(2, 0.5))()
    parts = {name.split(".")[0] for name in changed(made, before)}
    assert parts == {name.split(".")[0] for name in before}
    assert any("feature_extractor" in name for name in changed(made, before))


def test_both_learn_from_the_same_heads() -> None:
    full, adapted = model(SHAPE, None), model(SHAPE, AdapterConfig())
    heads = [{n for n in weights(m) if n.startswith(HEAD_PREFIXES)} for m in (full, adapted)]
    assert heads[0] == heads[1] != set()
    base = {n for n, _ in adapted.named_parameters()} - adapter_names(adapted)
    assert len(base) == len(list(full.named_parameters()))


def test_cached_features_change_no_answer() -> None:
    made, rows = still(AdapterConfig()), waveforms(3, 0.7)
    with torch.no_grad():
        live, cached = from_waveforms(made, rows), from_features(made, convolved(made, rows))
    torch.testing.assert_close(cached.logits, live.logits, atol=1e-6, rtol=1e-5)
    for name, value in live.auxiliary.items():
        torch.testing.assert_close(cached.auxiliary[name], value, atol=1e-6, rtol=1e-5)


def test_clips_are_speech_brought_to_one_scale() -> None:
    rows = waveforms(3, 0.5)
    assert rows.shape == (3, 8000)
    torch.testing.assert_close(rows.mean(dim=1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows.std(dim=1), torch.ones(3))
    assert not torch.equal(rows[0], rows[1])


def test_every_manner_of_computing_is_set_against_its_own_full_training() -> None:
    rows = list(adapter_training.timed(GIVEN, rounds=1, targets=True))
    ratios = {row.name: row for row in rows if "/ full" in row.name}
    assert all(row.value > 0 for row in rows)
    aimed = [row.name for row in ratios.values() if row.target is not None]
    assert aimed == ["stage 2 / full: a step", "stage 2 on cached CNN / full: a step"]
    assert all(ratios[name].target == 0.75 for name in aimed)
    for said in list(adapter_training.kinds())[1:]:
        assert f"stage 2 / full{said}: a step" in ratios


def test_a_process_that_trains_takes_memory() -> None:
    found = adapter_training.measure_memory(CACHED, GIVEN)
    assert found.peak > found.added > 0


def test_memory_is_set_against_that_of_full_training(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {FULL: (1000.0, 800.0), STAGE_2: (600.0, 400.0), CACHED: (400.0, 200.0)}
    monkeypatch.setattr(
        adapter_training,
        "_in_own_process",
        lambda way, given: adapter_training.Memory(*taken[way]),
    )
    ratios = [m for m in adapter_training.memory(GIVEN, targets=True) if "/ full" in m.name]
    assert [(m.value, m.target) for m in ratios] == [(0.6, 0.9), (0.4, 0.9)]
    assert [m.note.endswith(end) for m, end in zip(ratios, ("0.50", "0.25"), strict=True)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> adapter_files.Folders:
    return adapter_files.write(SHAPE, tmp_path_factory.mktemp("adapters"))


def test_files_of_adapters_are_a_part_of_those_of_the_whole(
    folders: adapter_files.Folders,
) -> None:
    whole, adapter, share = adapter_files.sizes(folders, targets=True)
    assert whole.value > adapter.value > 0
    assert share.value == pytest.approx(adapter.value / whole.value)
    assert share.target == pytest.approx(1 / 15)


def test_a_switched_model_answers_as_one_that_was_loaded(folders: adapter_files.Folders) -> None:
    rows = waveforms(1, 0.5)
    current = adapter_inference.Switched(load_checkpoint(folders.whole))
    base = encoded(current.loaded.model, rows)
    said = []
    for folder in folders.adapters:
        current.to(folder)
        said.append(encoded(current.loaded.model, rows))
        assert torch.equal(said[-1], encoded(load_checkpoint(folder).model, rows))
    assert not torch.equal(said[0], said[1])
    current.to(folders.whole)
    assert torch.equal(encoded(current.loaded.model, rows), base)


def test_switches_are_timed_beside_loading_anew(folders: adapter_files.Folders) -> None:
    rows = list(adapter_inference.switches(folders, rounds=2, targets=True))
    assert [row.target for row in rows] == [None, 200.0, None, None]
    assert rows[1].value >= rows[0].value > 0


def test_merged_and_unmerged_lora_say_the_same_and_not_what_the_base_says() -> None:
    rows = waveforms(1, 0.5)
    said = {name: encoded(e, rows) for name, e in adapter_inference.encoders(SHAPE).items()}
    merged, beside = said[adapter_inference.MERGED], said[adapter_inference.UNMERGED]
    torch.testing.assert_close(merged, beside, atol=1e-5, rtol=1e-4)
    base = said.pop(adapter_inference.BASE)
    assert all(not torch.allclose(other, base, atol=1e-3) for other in said.values())


def test_the_cost_of_merged_lora_has_a_target_and_is_its_distance_from_one() -> None:
    measured = adapter_inference.cost(SHAPE, rounds=1, targets=True, seconds=0.5)
    rows = {row.name: row for row in measured}
    ratio = rows["LoRA merged / no adapter: time of an answer"].value
    away: Measurement = rows["LoRA merged: how far from 1"]
    assert away.value == pytest.approx(abs(ratio - 1))
    assert away.target == 0.03


def test_a_person_confirms_all_but_the_commonest_answer() -> None:
    labels = ("neutral", "happy", "sad")
    said = ["sad", "neutral", "sad", "happy"]
    assert personal_adapters.meant_by(said, labels) == ["neutral", "neutral", "neutral", "happy"]
    assert personal_adapters.meant_by(["neutral"], labels) == ["happy"]


def test_turns_of_a_person_are_kept_with_their_sound_and_text(tmp_path: Path) -> None:
    store = CorrectionStore(tmp_path)
    personal_adapters.fill(store, 3)
    kept = store.all(*store.persons())
    assert len(kept) == 3
    assert any(not c.confirms for c in kept)
    for correction, (heard, text) in zip(kept, personal_adapters.clips_of(3), strict=True):
        assert correction.text == text.text
        assert len(store.clip(correction.id)) == heard.end - heard.start


def test_adapting_is_timed_with_what_came_of_it(tmp_path: Path) -> None:
    personal_adapters.fill(CorrectionStore(tmp_path), 2)
    ran = personal_adapters.run(tmp_path)
    assert ran.report.reason == "too_few"
    assert ran.wall > 0
    assert ran.peak > ran.added

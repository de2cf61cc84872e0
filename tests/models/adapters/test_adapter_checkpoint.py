"""Adapters on disk: small, whole or not at all, and opened like any other checkpoint."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.commands.analyze import main as analyze
from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.adapters import adapter_names, adapter_state, load_adapter_state, merge
from core.models.adapters.bases import find_base, pretrained_digest
from core.models.adapters.checkpoint import load_adapter_checkpoint, save_adapter_checkpoint
from core.models.adapters.config import AdapterConfig
from core.models.adapters.injection import outline
from core.models.adapters.switching import switch_checkpoint
from core.models.checkpoint import load_checkpoint, read_info, save_checkpoint
from core.models.encoders import backbone
from core.models.encoders.compact import CompactSpeechEncoder
from core.models.encoders.pretrained import load_pretrained_speech, make_processor
from core.models.encoders.pretrained_config import PretrainedSpeechConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.runtimes.base import Mode, missing
from core.models.runtimes.equip import equip
from core.models.summary import summarise
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import TaskHeads, TwoStageConfig
from core.pipeline.analyzer import load_analyzer
from core.resources import sample_dialogue
from core.types import Utterance
from tests.checkpoints import make_checkpoint, voice
from tests.models.adapters.checkpoints import (
    HEADS,
    PAPERS,
    adapted_model,
    answer,
    make_adapter,
    make_base,
)
from tests.models.adapters.material import BOTH, BOTTLENECK, KINDS, learnt, same


@pytest.fixture(scope="module")
def base(tmp_path_factory, tiny_encoder) -> Path:
    folder = tmp_path_factory.mktemp("bases") / "base"
    return make_base(folder, tiny_encoder("wav2vec2_large_like"))


@pytest.fixture(scope="module")
def adapter(base) -> Path:
    return make_adapter(base.parent / "adapter", base)


@pytest.fixture
def pair(base, adapter, tmp_path) -> Path:
    """An adapter with its base beside it, as it was when it was made; both may be damaged."""
    shutil.copytree(base, tmp_path / "base")
    return Path(shutil.copytree(adapter, tmp_path / "adapter"))


@pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
def test_what_was_saved_says_the_same_when_it_is_opened(base, tmp_path, config):
    model = adapted_model(base, config=config)
    save_adapter_checkpoint(tmp_path / "a", model, base=base, name="a", half=False, **PAPERS)
    loaded = load_checkpoint(tmp_path / "a")
    expected = answer(model, loaded.processor)
    torch.testing.assert_close(answer(loaded.model, loaded.processor), expected, atol=1e-5, rtol=0)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    first = load_checkpoint(base)
    assert (answer(first.model, first.processor) - expected).abs().max() > 1e-2


def test_saving_leaves_the_model_as_it_was(base, tmp_path):
    model = adapted_model(base)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    trains = {n for n, p in model.named_parameters() if p.requires_grad}
    save_adapter_checkpoint(tmp_path / "a", model, base=base, name="a", **PAPERS)
    assert same(model.state_dict(), before)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == trains


def test_only_adapters_and_heads_are_stored(base, adapter):
    stored = load_file(adapter / "adapter.safetensors")
    model = adapted_model(base)
    heads = {n for n in model.state_dict() if not n.startswith("speech.")}
    assert stored.keys() == heads | adapter_state(model).keys()
    assert not (adapter / "model.safetensors").exists()
    assert not (adapter / "processor").exists()


def test_of_a_wav2vec2_base_less_than_a_fifteenth_is_stored():
    from transformers import Wav2Vec2Config

    with torch.device("meta"):
        settings = PretrainedSpeechConfig(backbone.plain(Wav2Vec2Config()))
        encoder = PretrainedSpeechEncoder(settings)
        own = sum(p.numel() for p in encoder.parameters())
        config = TwoStageConfig({}, TaskHeads(("f", "m"), ("a", "b"), adapter=64, fusion=True))
        model = TwoStageModel(make_specification(EMOTIONS), config, speech=encoder)
    adapters = sum(t.numel() for t in outline(encoder, AdapterConfig()).values())
    heads = sum(p.numel() for p in model.head_parameters())
    assert (adapters + heads) / own < 1 / 15


def test_the_manifest_says_what_it_is_of(base, adapter):
    info = read_info(adapter)
    assert info.base.name == "first stage"
    assert info.base.digest == read_info(base).digest
    assert info.model_config["adapters"] == BOTH.to_dict()
    assert info.architecture == "two_stage"
    values = json.loads((adapter / "config.json").read_text(encoding="utf-8"))
    assert values["kind"] == "adapter"
    assert values["base"]["relative"] == "../base"


def test_the_digest_is_of_the_adapter_and_of_its_base(base, adapter, tmp_path, tiny_encoder):
    other_base = make_base(tmp_path / "other", tiny_encoder("wav2vec2_large_like"), seed=3)
    first = read_info(adapter)
    twin = read_info(make_adapter(tmp_path / "twin", other_base))
    another = read_info(make_adapter(tmp_path / "another", base, seed=2))
    assert first.files["adapter.safetensors"] == twin.files["adapter.safetensors"]
    digests = {first.digest, twin.digest, another.digest, read_info(base).digest}
    assert len(digests) == 4
    assert all(len(digest) == 64 for digest in digests)


def test_a_summary_is_given_of_an_adapter(adapter):
    summary = summarise(adapter)
    assert summary.system == "two_stage"
    assert summary.encoders == {"speech": "wav2vec2"}
    assert 0 < summary.megabytes < 1


def test_it_opens_where_peft_is_not_installed(adapter, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    loaded = load_checkpoint(adapter)
    assert answer(loaded.model, loaded.processor).isfinite().all()


def test_the_app_opens_it_like_any_checkpoint(adapter):
    analyzer = load_analyzer(adapter, device="cpu", runtime="torch")
    sound = voice(1.5)
    result = analyzer.final(Utterance(0, 0, sound.size, sound), None)
    assert result.model.digest == read_info(adapter).digest
    assert result.model.name == "second stage"
    assert result.label in EMOTIONS


@pytest.mark.parametrize("runtime", ["packed", "onnxruntime", "openvino"])
def test_exports_of_the_base_are_not_taken_for_the_adapter(base, adapter, tmp_path, runtime):
    if missing(Mode(runtime)):
        pytest.skip(f"{runtime} is not installed")
    for folder in (base, adapter, base):
        loaded = load_checkpoint(folder)
        expected = answer(loaded.model, loaded.processor)
        infos = equip(loaded.model, loaded.processor, loaded.info.digest, runtime, cache=tmp_path)
        assert [info.name for info in infos] == [runtime]
        found = answer(loaded.model, loaded.processor)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_training_goes_on_from_an_adapter(base, adapter, tmp_path):
    loaded = load_adapter_checkpoint(adapter, trainable=True)
    model = loaded.model
    free = {n for n, p in model.named_parameters() if p.requires_grad}
    heads = {n for n in model.state_dict() if not n.startswith("speech.")}
    assert free == heads | adapter_names(model)
    merged = load_checkpoint(adapter)
    expected = answer(merged.model, merged.processor)
    torch.testing.assert_close(answer(model, loaded.processor), expected, atol=1e-5, rtol=0)
    info = save_adapter_checkpoint(tmp_path / "next", model, base=adapter, name="n", **PAPERS)
    assert info.base.digest == read_info(base).digest
    assert find_base(info).samefile(base)


def test_a_whole_checkpoint_of_an_adapted_model_holds_merged_weights(base, tmp_path, monkeypatch):
    model = adapted_model(base)
    processor = load_checkpoint(base).processor
    said = answer(model, processor)
    options = {"name": "whole", "architecture": "two_stage", "half": False, **PAPERS}
    info = save_checkpoint(tmp_path / "whole", model, processor, **options)
    assert torch.equal(answer(model, processor), said)
    assert adapter_names(model)
    assert info.model_config["adapters"] == AdapterConfig(None, BOTH.bottleneck).to_dict()
    monkeypatch.setitem(sys.modules, "peft", None)
    whole = load_checkpoint(tmp_path / "whole")
    torch.testing.assert_close(answer(whole.model, whole.processor), said, atol=1e-5, rtol=0)


def test_a_merged_model_is_saved_like_an_open_one(base, tmp_path):
    model = adapted_model(base)
    one = save_adapter_checkpoint(tmp_path / "a", model, base=base, name="a", **PAPERS)
    merge(model)
    other = save_adapter_checkpoint(tmp_path / "b", model, base=base, name="b", **PAPERS)
    assert one.digest == other.digest
    assert one.model_config == other.model_config


def test_a_processor_of_its_own_is_kept(base, tiny_encoder, tmp_path):
    speech = load_pretrained_speech(tiny_encoder("wav2vec2_large_like"))
    own = make_processor(speech, longest_seconds=2.5)
    save_adapter_checkpoint(
        tmp_path / "a", adapted_model(base), base=base, name="a", processor=own, **PAPERS
    )
    assert load_checkpoint(tmp_path / "a").processor.config.longest_seconds == 2.5
    assert load_checkpoint(base).processor.config.longest_seconds == 4.0


def test_a_processor_that_is_the_base_s_is_not_repeated(base, tmp_path):
    same_one = load_checkpoint(base).processor
    save_adapter_checkpoint(
        tmp_path / "a", adapted_model(base), base=base, name="a", processor=same_one, **PAPERS
    )
    assert not (tmp_path / "a" / "processor").exists()
    assert load_checkpoint(tmp_path / "a").processor.config == same_one.config


def test_a_pretrained_model_may_be_the_base(tiny_encoder, tmp_path):
    folder = Path(shutil.copytree(tiny_encoder("wav2vec2_base_like"), tmp_path / "wav2vec2"))
    speech = load_pretrained_speech(folder, layerdrop=0.1)
    config = TwoStageConfig({}, HEADS, BOTH)
    model = TwoStageModel(make_specification(EMOTIONS), config, speech=speech.encoder).eval()
    model.speech.eval()
    processor = make_processor(speech, longest_seconds=4.0)
    target = tmp_path / "a"
    with pytest.raises(CheckpointError, match="has no processor"):
        save_adapter_checkpoint(target, model, base=folder, name="a", **PAPERS)
    info = save_adapter_checkpoint(
        target, model, base=folder, name="a", processor=processor, half=False, **PAPERS
    )
    assert info.base.kind == "pretrained"
    assert info.base.digest == pretrained_digest(folder)
    loaded = load_checkpoint(target)
    expected = answer(model, processor)
    torch.testing.assert_close(answer(loaded.model, loaded.processor), expected, atol=1e-5, rtol=0)


def test_the_embedded_architecture_may_be_the_base(tmp_path):
    folder = make_checkpoint(tmp_path / "embedded")
    loaded = load_checkpoint(folder)
    encoder = CompactSpeechEncoder(loaded.model.speech)
    config = TwoStageConfig({}, HEADS, BOTH)
    model = TwoStageModel(make_specification(EMOTIONS), config, speech=encoder).eval()
    model.load_state_dict({**model.state_dict(), **learnt(model)}, strict=False)
    save_adapter_checkpoint(tmp_path / "a", model, base=folder, name="a", half=False, **PAPERS)
    found = load_checkpoint(tmp_path / "a")
    assert type(found.processor) is type(loaded.processor)
    assert found.model.speech.config() == encoder.config()


def test_an_encoder_that_was_trained_is_no_adapter_of_the_base(base, tmp_path):
    model = adapted_model(base)
    with torch.no_grad():
        model.get_parameter("speech.model.encoder.layers.1.layer_norm.bias")[0] += 1e-6
    with pytest.raises(CheckpointError, match="not that of first stage: 1 weights differ"):
        save_adapter_checkpoint(tmp_path / "a", model, base=base, name="a", **PAPERS)
    assert not (tmp_path / "a").exists()


def test_a_model_without_adapters_is_not_saved_as_one(base, tmp_path):
    with pytest.raises(CheckpointError, match="no adapters to save"):
        save_adapter_checkpoint(
            tmp_path / "a", load_checkpoint(base).model, base=base, name="a", **PAPERS
        )


def test_bottlenecks_of_a_base_make_way_for_those_of_the_adapter(base, tmp_path):
    processor = load_checkpoint(base).processor
    whole = tmp_path / "whole"
    options = {"name": "whole", "architecture": "two_stage", "half": False, **PAPERS}
    save_checkpoint(whole, adapted_model(base, config=BOTTLENECK), processor, **options)
    model = load_checkpoint(whole).model
    load_adapter_state(model, learnt(model, seed=8))
    expected = answer(model, processor)
    target = tmp_path / "a"
    save_adapter_checkpoint(target, model, base=whole, name="a", half=False, **PAPERS)
    loaded = load_checkpoint(target)
    torch.testing.assert_close(answer(loaded.model, processor), expected, atol=1e-5, rtol=0)
    first = load_checkpoint(whole)
    again = switch_checkpoint(switch_checkpoint(first, target), whole)
    said = answer(load_checkpoint(whole).model, processor)
    assert torch.equal(answer(again.model, processor), said)
    assert (said - expected).abs().max() > 1e-2


def test_a_weight_that_is_not_finite_is_not_saved(base, tmp_path):
    model = adapted_model(base)
    state = adapter_state(model)
    next(p for n, p in model.named_parameters() if n in adapter_names(model)).data.fill_(1e6)
    assert state
    with pytest.raises(CheckpointError, match="too large for fp16"):
        save_adapter_checkpoint(tmp_path / "a", model, base=base, name="a", **PAPERS)


def test_both_may_be_moved_together(pair, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("base", "adapter"):
        (tmp_path / name).rename(moved / name)
    assert find_base(read_info(moved / "adapter")) == (moved / "base").resolve()


def test_the_adapter_may_be_moved_alone(adapter, base, tmp_path):
    moved = Path(shutil.copytree(adapter, tmp_path / "far" / "away" / "adapter"))
    assert find_base(read_info(moved)).samefile(base)


@pytest.mark.parametrize("place", ["beside", "../beside"])
def test_a_base_of_another_name_is_found_nearby(pair, tmp_path, place):
    here = tmp_path / "one" / "two"
    here.mkdir(parents=True)
    moved = pair.rename(here / "adapter")
    forget_place(moved)
    there = (tmp_path / "base").rename(here / place)
    assert find_base(read_info(moved)).samefile(there)


def test_a_base_may_be_given(pair, tmp_path):
    forget_place(pair)
    (tmp_path / "far" / "away").mkdir(parents=True)
    there = (tmp_path / "base").rename(tmp_path / "far" / "away" / "base")
    with pytest.raises(CheckpointError, match=r"adapter needs the model first stage \(sha256"):
        load_checkpoint(pair)
    loaded = load_checkpoint(pair, there)
    assert answer(loaded.model, loaded.processor).isfinite().all()


def test_another_base_is_refused_in_one_sentence(pair, tmp_path, tiny_encoder):
    forget_place(pair)
    other = make_base(tmp_path / "base", tiny_encoder("wav2vec2_large_like"), seed=9)
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(pair, other)
    ours, theirs = read_info(pair).base.digest[:12], read_info(other).digest[:12]
    assert error.value.problem == (
        f"The adapter {pair} was trained on first stage with weights of sha256 {ours}, but those"
        f" of {other} have {theirs}."
    )


def test_a_base_whose_weights_were_changed_is_refused(pair, tmp_path):
    forget_place(pair)
    weights = tmp_path / "base" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged or was changed"):
        load_checkpoint(pair, tmp_path / "base")


def test_what_is_no_base_at_all_is_refused(pair, tmp_path):
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(pair, tmp_path)
    with pytest.raises(CheckpointError, match="is an adapter itself"):
        load_checkpoint(pair, pair)


def test_a_command_analyses_with_it(adapter, tmp_path):
    arguments = [str(sample_dialogue()), "--model", str(adapter), "--out", str(tmp_path)]
    assert analyze([*arguments, "--whisper", "none", "--runtime", "torch"]) == 0
    journal = next(tmp_path.rglob("*.jsonl")).read_text(encoding="utf-8")
    assert read_info(adapter).digest in journal


def forget_place(folder: Path) -> None:
    """Let an adapter no longer know where its base is."""
    path = folder / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["base"].update(relative="../gone", absolute=str(folder.parent / "gone"))
    path.write_text(json.dumps(values), encoding="utf-8")

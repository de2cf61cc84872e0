"""Whatever can be wrong with a folder is one sentence that names it and what to do."""

from __future__ import annotations

import ast
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.encoders import hub
from core.models.encoders.hub import FetchProgress, model_folder
from core.models.encoders.pretrained import (
    load_pretrained_speech,
    load_pretrained_text,
    load_tokenizer,
)

SPEECH, TEXT = "wav2vec2_base_like", "klue_roberta_like"


@pytest.fixture
def copy(tiny_encoder, tmp_path):
    """Return a function from a kind to a copy of its folder that a test may damage."""

    def copied(kind: str) -> Path:
        return Path(shutil.copytree(tiny_encoder(kind), tmp_path / "model"))

    return copied


def load(folder: Path, kind: str):
    return load_pretrained_speech(folder) if kind == SPEECH else load_pretrained_text(folder)


def complaint(folder: Path, kind: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder, kind)
    assert str(folder) in caught.value.problem
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change_weights(folder: Path, change) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def change_json(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def first_weight(state, part: str) -> str:
    return next(name for name in sorted(state) if part in name)


@pytest.mark.parametrize("kind", [SPEECH, TEXT])
class TestDamage:
    def test_weights_are_missing(self, copy, kind):
        folder = copy(kind)
        (folder / "model.safetensors").unlink()
        assert "has no model.safetensors" in complaint(folder, kind)

    def test_weights_are_cut_off(self, copy, kind):
        folder = copy(kind)
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
        assert "model.safetensors is cut off or damaged" in complaint(folder, kind)

    def test_weights_are_a_pickle_only(self, copy, kind):
        folder = copy(kind)
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        found = complaint(folder, kind)
        assert "pytorch_model.bin" in found
        assert "could run code" in found

    def test_a_weight_is_not_finite(self, copy, kind):
        folder = copy(kind)

        def spoil(state):
            state[first_weight(state, "encoder.layer")][0] = float("nan")

        change_weights(folder, spoil)
        assert "1 weight not finite" in complaint(folder, kind)

    def test_a_weight_is_missing(self, copy, kind):
        folder = copy(kind)
        change_weights(folder, lambda s: s.pop(first_weight(s, "encoder.layer")))
        assert "1 weight missing (encoder.layer" in complaint(folder, kind)

    def test_a_weight_has_another_shape(self, copy, kind):
        folder = copy(kind)

        def reshape(state):
            name = first_weight(state, "encoder.layer")
            state[name] = torch.zeros(3)

        change_weights(folder, reshape)
        found = complaint(folder, kind)
        assert "can't be loaded" in found or "1 weight of the wrong shape" in found

    def test_there_is_a_layer_too_many(self, copy, kind):
        folder = copy(kind)
        change_json(folder / "config.json", num_hidden_layers=1)
        assert "weights that the architecture does not have (encoder." in complaint(folder, kind)

    def test_the_configuration_is_missing(self, copy, kind):
        folder = copy(kind)
        (folder / "config.json").unlink()
        assert "it has no config.json" in complaint(folder, kind)

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"model_type": "no-such-type"}'])
    def test_the_configuration_is_damaged(self, copy, kind, content):
        folder = copy(kind)
        (folder / "config.json").write_text(content)
        assert "config.json" in complaint(folder, kind)

    def test_the_model_brings_its_own_code(self, copy, kind):
        folder = copy(kind)
        change_json(
            folder / "config.json",
            model_type="mine",
            auto_map={"AutoConfig": "code.Config", "AutoModel": "code.Model"},
        )
        (folder / "code.py").write_text("raise SystemExit('this ran')")
        assert "own code are not taken" in complaint(folder, kind)


def test_a_text_model_is_no_speech_model(tiny_encoder):
    folder = tiny_encoder(TEXT)
    assert "roberta is no speech encoder over waveforms" in complaint(folder, SPEECH)


def test_a_speech_model_is_no_text_model(tiny_encoder):
    assert "wav2vec2 is no text encoder" in complaint(tiny_encoder(SPEECH), TEXT)


def test_the_tokenizer_is_missing(copy):
    folder = copy(TEXT)
    for path in [*folder.glob("tokenizer*"), folder / "vocab.txt"]:
        path.unlink()
    assert "has no tokenizer" in complaint(folder, TEXT)


def test_the_tokenizer_is_damaged(copy):
    folder = copy(TEXT)
    (folder / "tokenizer.json").write_text("{")
    assert "tokenizer" in complaint(folder, TEXT)


def test_the_tokenizer_is_that_of_another_model(copy, tiny_encoder):
    folder = copy(TEXT)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(tiny_encoder("klue_bert_like") / name, folder / name)
    assert "pads with 0, the model with 1" in complaint(folder, TEXT)


@pytest.fixture
def evil(copy, tmp_path, monkeypatch) -> Path:
    """Return a folder whose tokenizer is its own code, with a user who says yes to everything."""
    folder = copy(TEXT)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    change_json(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "evil.Evil"]})
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    return folder


def test_a_tokenizer_that_is_code_is_neither_run_nor_asked_about(evil, tmp_path, capfd):
    """A type of model without a tokenizer of its own, as many are, makes transformers ask."""
    (evil / "config.json").write_text(json.dumps({"model_type": "patchtst"}))
    change_json(evil / "tokenizer_config.json", tokenizer_class=None)
    with pytest.raises(CheckpointError) as caught:
        load_tokenizer(evil, 16)
    assert caught.value.problem == (
        f"The tokenizer in {evil} needs code of its own, which is never run."
    )
    assert not (tmp_path / "ran").exists()
    assert capfd.readouterr() == ("", "")
    assert sys.stdin.read() == "y\n" * 9


def test_code_beside_a_tokenizer_that_needs_none_is_left_alone(evil, tmp_path):
    assert load_pretrained_text(evil).tokenizer.encode("왜 이렇게").ids
    assert not (tmp_path / "ran").exists()
    assert sys.stdin.read() == "y\n" * 9


def test_no_loading_leaves_it_to_transformers_whether_code_may_run(project):
    """Every call that could run code of a folder says no itself: the default is to ask."""
    found = 0
    for path in sorted(p for part in ("core", "training") for p in (project / part).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            of_auto = ast.unparse(call.func.value).lower().startswith("auto")
            if call.func.attr != "from_pretrained" and not (
                of_auto and call.func.attr == "from_config"
            ):
                continue
            given = {k.arg: ast.unparse(k.value) for k in call.keywords}
            assert given.get("trust_remote_code") == "False", f"{path}:{call.lineno}"
            found += 1
    assert found >= 3


def test_a_vocabulary_without_tokenizer_json_will_do(copy, tiny_encoder):
    """Older folders have only vocab.txt."""
    folder = copy("klue_bert_like")
    (folder / "tokenizer.json").unlink()
    found = load_pretrained_text(folder).tokenizer.encode("왜 이렇게")
    whole = load_pretrained_text(tiny_encoder("klue_bert_like")).tokenizer.encode("왜 이렇게")
    assert found == whole


def test_how_samples_are_prepared_must_be_said(copy):
    folder = copy(SPEECH)
    (folder / "preprocessor_config.json").unlink()
    assert "has no preprocessor_config.json" in complaint(folder, SPEECH)


def test_a_model_of_another_sample_rate_is_refused(copy):
    folder = copy(SPEECH)
    change_json(folder / "preprocessor_config.json", sampling_rate=8000)
    assert "8000 samples a second" in complaint(folder, SPEECH)


def test_half_precision_is_loaded_as_single(copy):
    folder = copy(SPEECH)

    def halve(state):
        for name in state:
            state[name] = state[name].half()

    change_weights(folder, halve)
    encoder = load_pretrained_speech(folder).encoder
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}


def test_weights_may_come_in_several_files(copy, tiny_encoder):
    folder = copy(SPEECH)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    parts = {"model-00001-of-00002.safetensors": names[::2]}
    parts["model-00002-of-00002.safetensors"] = names[1::2]
    for part, own in parts.items():
        save_file({n: state[n] for n in own}, folder / part, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {n: p for p, own in parts.items() for n in own}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    whole = load_pretrained_speech(tiny_encoder(SPEECH)).encoder.state_dict()
    found = load_pretrained_speech(folder).encoder.state_dict()
    assert all(torch.equal(found[name], whole[name]) for name in whole)


def test_nothing_is_drawn_or_said_while_loading(tiny_encoder, capfd):
    load_pretrained_speech(tiny_encoder(SPEECH))
    load_pretrained_text(tiny_encoder(TEXT))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "a/b/c", "~/nowhere/at/all", ""])
def test_a_path_that_is_not_there_is_no_name_on_the_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "":
        (tmp_path / "file").write_text("")
        name = str(tmp_path / "file")
    with pytest.raises(CheckpointError, match="not a folder, nor a name on the hub"):
        model_folder(name)


def test_without_network_the_remedy_is_a_folder():
    with pytest.raises(CheckpointError, match="download it elsewhere and give the folder"):
        load_pretrained_text("klue/roberta-base")


def test_a_name_is_fetched_from_the_hub_without_anything_that_runs(
    tiny_encoder, monkeypatch, tmp_path
):
    asked = {}

    def fetch(name, **settings):
        asked.update(settings, name=name)
        bar = settings["tqdm_class"](total=0, unit="B", name="huggingface_hub.snapshot_download")
        bar.total = 200
        bar.update(50)
        bar.update(150)
        bar.close()
        return str(tiny_encoder(TEXT))

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    told: list[FetchProgress] = []
    loaded = load_pretrained_text("klue/roberta-base@refs/pr/2", progress=told.append)
    assert loaded.encoder.dim == 32
    assert asked["name"] == "klue/roberta-base"
    assert asked["revision"] == "refs/pr/2"
    assert asked["allow_patterns"] == list(hub.PATTERNS)
    assert not [p for p in hub.PATTERNS if p.endswith((".bin", ".py", ".pt", "*"))]
    assert told == [
        FetchProgress("klue/roberta-base", 50, 200),
        FetchProgress("klue/roberta-base", 200, 200),
    ]

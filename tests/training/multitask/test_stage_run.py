"""The stage `multitask` from end to end: what it leaves, and how an interrupted one goes on."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor

from core.errors import CheckpointError, ConfigError
from core.models.adapters.injection import original_state
from core.models.calibration import Path as Way
from core.models.checkpoint import load_checkpoint, read_info
from core.models.device import CPU, DeviceChoice
from core.models.inference import Inference
from core.models.two_stage import TwoStageModel
from tests.training.multitask.small_run import config_of, context_of, without_dropout
from training import config as configuration
from training.data.corpora.registry import read_corpus
from training.data.loading import AudioLoader
from training.multitask.config import MultiTaskConfig
from training.multitask.stage import fingerprint, run
from training.train_command import main

FILES = {"first": "model.safetensors", "second": "adapter.safetensors"}
BATCHES = 3 * 2 * 2
"""24 rows in batches of 8, two epochs, two stages."""


@pytest.fixture(scope="module")
def whole(tones: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing has interrupted."""
    out = tmp_path_factory.mktemp("whole")
    run(config_of(encoder), context_of(tones, out))
    return out / "multitask"


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for stage, file in FILES.items():
        state = load_file(folder / stage / "checkpoint" / file)
        found |= {f"{stage} {name}": tensor for name, tensor in state.items()}
    return found


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_process(
    project: Path,
    tones: Path,
    encoder: Path,
    out: Path,
    *options: str,
    launcher: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *launcher, "-m", "tests.training.multitask.small_run"]
    command += [str(tones), str(encoder), str(out), *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)


def test_stage_one_is_whole_and_stage_two_an_adapter_of_it(whole: Path) -> None:
    first, second = (read_info(whole / stage / "checkpoint") for stage in FILES)
    assert first.base is None
    assert second.base is not None
    assert (second.base.name, second.base.digest) == ("small (first)", first.digest)
    assert second.name == "small"
    sizes = [(whole / s / "checkpoint" / f).stat().st_size for s, f in FILES.items()]
    assert sizes[1] < sizes[0] / 2


def test_the_encoder_on_disk_is_bit_for_bit_that_of_stage_one(whole: Path) -> None:
    first, second = (load_checkpoint(whole / stage / "checkpoint").model for stage in FILES)
    assert isinstance(first, TwoStageModel)
    assert isinstance(second, TwoStageModel)
    assert equal(first.speech.state_dict(), original_state(second.speech))


def test_the_checkpoint_says_of_the_test_part_what_was_scored(whole: Path, tones: Path) -> None:
    loaded = load_checkpoint(whole / "second" / "checkpoint")
    judge = Inference(loaded.model, DeviceChoice(CPU, "test"))
    examples = {e.id: e for e in read_corpus("manifest", tones).examples}
    rows = table(whole / "second" / "predictions.csv")
    assert len(rows) == 16
    for row in rows[:4]:
        inputs = loaded.processor(samples=AudioLoader().samples(examples[row["id"]]))
        said = loaded.calibration.probabilities(judge(inputs).logits, Way.FUSED)[0]
        expected = [float(row[f"p_{name}"]) for name in loaded.specification.labels]
        np.testing.assert_allclose(said, expected, atol=1e-4)


def test_figures_are_those_of_the_tables(whole: Path) -> None:
    metrics = json.loads((whole / "second" / "metrics.json").read_text(encoding="utf-8"))["test"]
    rows = table(whole / "second" / "predictions.csv")
    for task, figure in (("gender", "gender_accuracy"), ("style", "style_accuracy")):
        right = np.mean([row[task] == row[f"{task}_predicted"] for row in rows])
        assert metrics[figure]["value"] == pytest.approx(right)
        assert metrics[figure]["low"] <= right <= metrics[figure]["high"]
    assert metrics["wa"]["value"] == pytest.approx(
        np.mean([row["true"] == row["predicted"] for row in rows])
    )
    assert {"wer", "cer"}.isdisjoint(metrics)


def test_transcripts_give_the_error_rates_and_say_which_scripts_are_new(whole: Path) -> None:
    metrics = json.loads((whole / "first" / "metrics.json").read_text(encoding="utf-8"))
    rows = table(whole / "first" / "transcripts.csv")
    assert len(rows) == 16
    for rate, wrong, said in (
        ("wer", "word_errors", "words"),
        ("cer", "character_errors", "characters"),
    ):
        expected = sum(int(r[wrong]) for r in rows) / sum(int(r[said]) for r in rows)
        assert metrics["test"][rate]["value"] == pytest.approx(expected)
    assert {row["unseen_script"] for row in rows} == {"no"}
    assert metrics["unseen_scripts"] == {"rows": 0}


def test_the_card_says_what_it_is_and_what_is_not_claimed(whole: Path) -> None:
    checkpoint = whole / "second" / "checkpoint"
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    training = yaml.safe_load((checkpoint / "training.yaml").read_text(encoding="utf-8"))
    for expected in ("Licence of the corpus: generated", "Gao", "another corpus", "neither",
                     "trains: adapters, heads", "Not for decisions about people"):  # fmt: skip
        assert expected in card, expected
    assert training["started_from"] == read_info(whole / "first" / "checkpoint").digest
    assert len(training["trained_on"]["speakers"]["manifest"]) == 3
    assert training["trained_on"]["unknown"]
    first = (whole / "first" / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert "how well known sentences are told apart" in first


def test_the_state_of_the_training_is_gone(whole: Path) -> None:
    assert not list(whole.glob("*/training/state*"))


@pytest.mark.parametrize("writing", [False, True], ids=["training", "writing"])
def test_a_killed_run_goes_on_to_the_same_bits(
    project: Path, tones: Path, encoder: Path, whole: Path, tmp_path: Path, writing: bool
) -> None:
    kill = -1 if writing else int(np.random.default_rng().integers(2, BATCHES + 1))
    killed = of_process(project, tones, encoder, tmp_path, "--kill", str(kill))
    assert killed.returncode == -9, killed.stderr
    folder = tmp_path / "multitask"
    assert not (folder / "second" / "done.json").exists()
    run(config_of(encoder), context_of(tones, tmp_path, resume=True))
    assert equal(weights(whole), weights(folder)), f"after a kill before batch {kill}"
    for stage in FILES:
        ours, theirs = ((root / stage / "predictions.csv").read_bytes() for root in (whole, folder))
        assert ours == theirs


def test_a_finished_stage_is_kept_and_a_changed_one_trains_again(
    tones: Path, encoder: Path, tmp_path: Path
) -> None:
    def stamps() -> list[int]:
        return [(tmp_path / "multitask" / s / "done.json").stat().st_mtime_ns for s in FILES]

    config = config_of(encoder)
    run(config, context_of(tones, tmp_path))
    before = stamps()
    run(config, context_of(tones, tmp_path, resume=True))
    assert stamps() == before
    second = replace(config.stages[1], dropout=0.1)
    run(replace(config, stages=(config.stages[0], second)),
        context_of(tones, tmp_path, resume=True))  # fmt: skip
    assert stamps()[0] == before[0]
    assert stamps()[1] > before[1]


def later_stage(config: MultiTaskConfig, start: Path, digest: str) -> MultiTaskConfig:
    stage = replace(config.stages[1], name="later", starts_from=str(start), digest=digest)
    return replace(config, stages=(stage,))


def test_a_base_of_another_hash_is_refused_in_one_sentence(
    tones: Path, encoder: Path, whole: Path, tmp_path: Path
) -> None:
    config = later_stage(config_of(encoder), whole / "first" / "checkpoint", "0" * 64)
    with pytest.raises(CheckpointError) as caught:
        run(config, context_of(tones, tmp_path))
    digest = read_info(whole / "first" / "checkpoint").digest
    assert caught.value.problem == (
        f"The stage 'later' must start from weights of sha256 {'0' * 12}, but those in"
        f" {whole / 'first' / 'checkpoint'} have {digest[:12]}."
    )
    assert not (tmp_path / "multitask" / "later").exists()


def test_a_checkpoint_of_the_right_hash_is_gone_on_from(
    tones: Path, encoder: Path, whole: Path, tmp_path: Path
) -> None:
    start = whole / "first" / "checkpoint"
    run(
        later_stage(config_of(encoder), start, read_info(start).digest), context_of(tones, tmp_path)
    )
    ours = load_file(whole / "second" / "checkpoint" / FILES["second"])
    theirs = load_file(tmp_path / "multitask" / "later" / "checkpoint" / FILES["second"])
    assert equal(ours, theirs)


def test_adapters_go_on_in_another_stage_and_keep_their_base(
    tones: Path, encoder: Path, whole: Path, tmp_path: Path
) -> None:
    config = later_stage(config_of(encoder), whole / "second" / "checkpoint", "")
    stage = replace(config.stages[0], adapters=None)
    run(replace(config, stages=(stage,)), context_of(tones, tmp_path))
    info = read_info(tmp_path / "multitask" / "later" / "checkpoint")
    assert info.base is not None
    assert info.base.digest == read_info(whole / "first" / "checkpoint").digest


def test_a_stage_can_not_start_from_a_later_one(tones: Path, encoder: Path, tmp_path: Path) -> None:
    config = config_of(encoder)
    first = replace(config.stages[0], starts_from="second")
    with pytest.raises(ConfigError, match="'first' can't start from 'second'"):
        run(replace(config, stages=(first, config.stages[1])), context_of(tones, tmp_path))


@pytest.mark.parametrize("fresh", [False, True], ids=["learnt", "random"])
def test_the_compact_encoder_takes_the_same_way(tones: Path, tmp_path: Path, fresh: bool) -> None:
    config = config_of(None, fresh=fresh)
    adapted = replace(config.stages[0], trains=("adapters", "heads"),
                      adapters=config.stages[1].adapters)  # fmt: skip
    second = replace(config.stages[1], adapters=None)
    run(replace(config, stages=(adapted, second)), context_of(tones, tmp_path))
    infos = [read_info(tmp_path / "multitask" / stage / "checkpoint") for stage in FILES]
    # random weights are on no disk, so the first stage stores them beside what it trained
    bases = ["" if info.base is None else info.base.name for info in infos]
    assert bases == (["", "small (first)"] if fresh else [bases[0]] * 2)
    assert bool(bases[0]) is not fresh
    loaded = load_checkpoint(infos[1].path)
    assert loaded.specification.labels == ("neutral", "happy", "angry", "sad")


def test_the_fingerprint_is_that_of_what_is_trained_on(
    tones: Path, encoder: Path, tmp_path: Path
) -> None:
    context = context_of(tones, tmp_path)
    config = config_of(encoder)
    found = fingerprint(config, context)
    assert found == fingerprint(config, context)
    assert found != fingerprint(replace(config, split=replace(config.split, fold=1)), context)


def test_the_command_trains_from_yaml_and_keeps_what_is_finished(
    tones: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"stage": "multitask", **configuration.to_mapping(config_of(encoder))}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    command = [str(path), "--data", str(tones), "--out", str(tmp_path / "out"), "--quick"]
    assert main(command) == 0
    capsys.readouterr()
    assert main([*command, "--resume"]) == 0
    assert "multitask: finished before, kept" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "out" / "multitask" / "second" / "checkpoint")


def test_two_processes_agree_with_one(
    project: Path, tones: Path, encoder: Path, tmp_path: Path
) -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0",
                "--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0")  # fmt: skip
    pair = of_process(project, tones, encoder, tmp_path / "pair", launcher=launcher)
    assert pair.returncode == 0, pair.stderr
    run(without_dropout(config_of(encoder)), context_of(tones, tmp_path / "one"))
    ours, theirs = (weights(tmp_path / name / "multitask") for name in ("one", "pair"))
    assert ours.keys() == theirs.keys()
    assert max(float((ours[n] - theirs[n]).abs().max()) for n in ours) < 1e-4

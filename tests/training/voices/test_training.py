"""Training of the voice network: folds, batches, warps, losses, and that it learns voices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError, CorpusError
from core.models.speech_features import PITCH, SpeechFeatureConfig
from core.models.voices.network import VoiceNetwork
from tests.training.voices.conftest import PEOPLE, RECIPE, quick
from training import config as configuration
from training.progress import Reporter
from training.voices.batches import VoiceBatches, voice_classes
from training.voices.config import VoiceLossConfig, VoicesConfig
from training.voices.data import VoiceData, excerpts, sampled_rows, speaker_folds
from training.voices.methods import cosine_scores, network_vectors
from training.voices.training import margin_softmax, prototypical, train_voices
from training.voices.trials import Trials, equal_error_rate
from training.voices.warping import Warp, Warper


@pytest.fixture(scope="module")
def warping(recipe: VoicesConfig) -> VoicesConfig:
    return replace(recipe, warps=(Warp(0.9, 0.15), Warp(1.1, -0.15)))


def test_the_recipe_explains_every_key(recipe: VoicesConfig) -> None:
    lines = RECIPE.read_text(encoding="utf-8").splitlines()
    assert recipe.folds == 4
    assert not [line for line in lines if "#" not in line]


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    text = RECIPE.read_text(encoding="utf-8").replace("margin:", "margins:")
    (tmp_path / "voices.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="margins"):
        configuration.load(VoicesConfig, tmp_path / "voices.yaml")


def test_folds_hold_out_each_speaker_once_and_give_it_somebody_to_be_taken_for(
    data: VoiceData,
) -> None:
    folds = speaker_folds(data.clips, 2)
    assert sorted(name for fold in folds for name in fold) == sorted(PEOPLE)
    for fold in folds:
        kinds = [(name.split("/")[0], PEOPLE[name][0]) for name in fold]
        assert all(kinds.count(kind) >= 2 for kind in kinds)
    with pytest.raises(CorpusError, match="folds"):
        speaker_folds(data.clips, 20)


def batches_of(data: VoiceData, warping: VoicesConfig) -> VoiceBatches:
    classes = voice_classes(data, np.arange(len(data.clips)), warping.warps)
    sampling = quick(warping, 1).sampling
    deviation = np.ones(data.front_end.frame_dim, np.float32)
    return VoiceBatches(data, classes, sampling, warping.augmentation, deviation)


def test_a_batch_is_of_one_corpus_with_several_clips_of_each_voice(
    data: VoiceData, warping: VoicesConfig
) -> None:
    classes = voice_classes(data, np.arange(len(data.clips)), warping.warps)
    assert len(classes.names) == len(PEOPLE) * 2 * (1 + len(warping.warps))
    for batch in batches_of(data, warping)(0, np.random.default_rng(0)):
        assert batch.frames.shape[0] == 8 * 3
        assert len({classes.corpora[voice] for voice in batch.voices.tolist()}) == 1
        assert batch.rivals[batch.voices].all()
        assert len(set(batch.voices.tolist())) == 8


def test_clips_of_a_voice_differ_in_emotion_as_far_as_possible(
    data: VoiceData, warping: VoicesConfig
) -> None:
    batches, rng = batches_of(data, warping), np.random.default_rng(0)
    for voice in range(10):
        rows = batches._rows(voice, rng)
        assert len({data.clips[row].emotion for row in rows}) == 3


def test_batches_are_the_same_for_the_same_seed(data: VoiceData, warping: VoicesConfig) -> None:
    first, second = (
        next(iter(batches_of(data, warping)(0, np.random.default_rng(3)))) for _ in "ab"
    )
    assert torch.equal(first.frames, second.frames)


def test_a_warp_moves_resonances_and_pitch_and_nothing_else() -> None:
    config = SpeechFeatureConfig()
    frames = np.zeros((3, 68), np.float32)
    frames[:, 30] = 5.0
    frames[1:, 64 + PITCH] = 0.4
    same = Warper(Warp(), config)(frames)
    np.testing.assert_allclose(same, frames, atol=1e-3)
    warped = Warper(Warp(formants=1.15, pitch=0.2), config)(frames)
    assert 30 < np.argmax(warped[0, :64]) <= 36
    np.testing.assert_allclose(warped[:, 64 + PITCH], [0, 0.6, 0.6], atol=1e-6)
    np.testing.assert_array_equal(warped[:, 65:], frames[:, 65:])
    lower = Warper(Warp(formants=0.87), config)(frames)
    assert 24 <= np.argmax(lower[0, :64]) < 30


def test_the_margin_softmax_is_the_one_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    cosines = torch.from_numpy(rng.uniform(-1, 1, (5, 6)))
    voices, rivals = torch.tensor([0, 1, 2, 1, 0]), torch.tensor([True] * 4 + [False] * 2)
    config = VoiceLossConfig(scale=12, margin=0.3)
    expected = []
    for row, voice in zip(cosines.numpy(), voices.tolist(), strict=True):
        own = np.exp(12 * (row[voice] - 0.3))
        others = sum(np.exp(12 * row[j]) for j in range(4) if j != voice)
        expected.append(-np.log(own / (own + others)))
    found = margin_softmax(cosines, voices, rivals, config)
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-9)


def test_the_prototypical_loss_is_the_one_of_the_formula() -> None:
    embeddings = F.normalize(torch.randn(6, 4, dtype=torch.double), dim=1)
    by_voice = embeddings.view(2, 3, 4).numpy()
    expected = []
    for voice in range(2):
        cosines = []
        for other in range(2):
            mean = by_voice[other, :2].mean(axis=0)
            cosines.append(7.0 * by_voice[voice, 2] @ mean / np.linalg.norm(mean))
        expected.append(-cosines[voice] + np.log(np.exp(cosines).sum()))
    found = prototypical(embeddings, 3, torch.tensor(7.0, dtype=torch.double))
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-9)


def error_on(data: VoiceData, held_out: list[str], network: torch.nn.Module) -> float:
    rows = sampled_rows(data, held_out, 8)
    trials = Trials()
    vectors = network_vectors(network, data)(excerpts(data, rows))
    trials.add([data.clips[row] for row in rows], cosine_scores(vectors))
    rate = equal_error_rate(trials)
    assert rate is not None
    return rate.value


def test_it_learns_to_tell_voices_apart_that_it_never_heard(
    data: VoiceData, recipe: VoicesConfig, tmp_path: Path
) -> None:
    held_out = [name for name in PEOPLE if name.startswith("two/")]
    train = np.setdiff1d(np.arange(len(data.clips)), data.rows_of(held_out))
    # a few hundred clips' worth of steps: without further voices, and with a softer loss
    config = quick(recipe, 16)
    config = replace(config, warps=(), loss=replace(config.loss, scale=10.0))
    silent = Reporter(silent=True)
    network = train_voices(config, data, train, tmp_path / "run", silent)
    torch.manual_seed(0)
    untrained = VoiceNetwork(network.config).eval()
    assert error_on(data, held_out, network) < 0.15 < error_on(data, held_out, untrained)
    again = train_voices(config, data, train, tmp_path / "run", silent)
    state = again.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())

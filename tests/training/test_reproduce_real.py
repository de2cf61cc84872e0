from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError, CorpusError
from core.models.systems.head import Variant
from training.data.corpora.speech import Clip
from training.data.encoded_bank import EncodedBank
from training.reproduce import real, real_heads
from training.reproduce.options import ReproduceOptions
from training.reproduce.real_cells import cells, script_folds, speaker_cells
from training.reproduce.real_features import ClipFeatures
from training.reproduce.real_figure import draw_figure
from training.reproduce.real_heads import HeadData, HeadRecipe, judged, train_and_judge
from training.reproduce.real_kept import KeptHeads
from training.reproduce.real_light import difference
from training.reproduce.real_pairs import UnreadTexts, pair

SENTENCES = ("the train is late", "my dog ran home", "we won the game", "it rains all day",
             "he took my seat", "who ate the cake")  # fmt: skip


def clip(speaker: str, text: str, emotion: str) -> Clip:
    path = f"{speaker}/{text}/{emotion}"
    return Clip(path, "c", "", f"c/{speaker}", "F", "en", emotion, text, 1.0)


def acted() -> tuple[Clip, ...]:
    """Six speakers; sentences of one emotion each, two for each of three emotions."""
    emotions = ("neutral", "happy", "sad") * 2
    return tuple(
        clip(f"s{n}", text, emotion)
        for n in range(6)
        for text, emotion in zip(SENTENCES, emotions, strict=True)
    )


def bank(rows: np.ndarray) -> EncodedBank:
    pooled = torch.from_numpy(rows.astype(np.float32))
    sequences = tuple(row[None].repeat(3, 1) for row in pooled)
    return EncodedBank(sequences, pooled, torch.zeros(len(rows), 7))


def features(clips: tuple[Clip, ...], seed: int = 0) -> ClipFeatures:
    labels = np.array([c.label for c in clips])
    noise = np.random.default_rng(seed).normal(size=(len(clips), 8))
    heard = bank(np.eye(8)[labels] * 4 + noise)
    return ClipFeatures(clips, labels, heard, heard, heard)


def test_a_cell_holds_out_speakers_and_scripts_and_every_clip_is_judged_once() -> None:
    clips = acted()
    found = cells(clips, speakers=3, scripts=2)
    for cell in found:
        train, test = [clips[r] for r in cell.train], [clips[r] for r in cell.test]
        assert not {c.speaker for c in train} & {c.speaker for c in test}
        assert not {c.text for c in train} & {c.text for c in test}
    assert sorted(np.concatenate([cell.test for cell in found])) == list(range(len(clips)))


def test_scripts_of_one_emotion_are_spread_over_the_folds() -> None:
    clips = acted()
    folds = script_folds(clips, 2)
    for emotion in ("neutral", "happy", "sad"):
        assert {int(folds[r]) for r, c in enumerate(clips) if c.emotion == emotion} == {0, 1}


def test_one_speaker_can_not_be_held_out() -> None:
    with pytest.raises(CorpusError, match="too few"):
        cells(tuple(clip("s0", text, "happy") for text in SENTENCES), 1, 1)


def test_speaker_cells_share_no_speaker() -> None:
    clips = acted()
    for cell in speaker_cells(clips, 3):
        assert not {clips[r].speaker for r in cell.train} & {clips[r].speaker for r in cell.test}


@pytest.mark.parametrize("system", ["speech", "text", "early", "low_rank_rsa_cfn"])
def test_a_head_learns_what_the_features_hold(system: str) -> None:
    clips = acted()
    heard = features(clips)
    data = HeadData(heard.labels, heard.speech, heard.text)
    cell = speaker_cells(clips, 3)[0]
    recipe = HeadRecipe(epochs=80, learning_rate=3e-3)
    trained = train_and_judge(system, data, cell.train, cell.test, recipe, seed=0)
    right = trained.logits.argmax(axis=1) == data.labels[cell.test]
    assert right.mean() > 0.8
    assert trained.parameters > 0


def test_a_head_trained_again_with_the_same_seed_says_the_same() -> None:
    clips = acted()
    heard = features(clips)
    data = HeadData(heard.labels, heard.speech, heard.text)
    cell = speaker_cells(clips, 3)[0]
    one, two = (
        train_and_judge("stack", data, cell.train, cell.test, HeadRecipe(epochs=2), seed=5).logits
        for _ in range(2)
    )
    assert np.array_equal(one, two)


def test_the_difference_of_two_equal_heads_is_nothing_and_of_unequal_ones_is_seen() -> None:
    labels = np.arange(300) % 3
    right, wrong = np.eye(7)[labels] * 5, np.eye(7)[(labels + 1) % 3] * 5
    half = np.where((np.arange(300) < 150)[:, None], right, wrong)
    rows = np.arange(300)
    same = difference([judged(half, labels, rows, 0)], [judged(half, labels, rows, 0)])
    assert (same.value, same.low, same.high) == (0, 0, 0)
    apart = difference([judged(half, labels, rows, 0)], [judged(right, labels, rows, 0)])
    assert apart.value == pytest.approx(-0.5)
    assert apart.low < -0.4 > apart.high - 0.1


def test_pairs_share_no_text_and_no_speaker_between_training_and_test() -> None:
    clips = acted()
    heard = features(clips)
    count = 70
    labels = tuple(int(k) % 7 for k in range(count))
    # every text is told apart by its first feature
    numbered = np.concatenate([np.arange(count)[:, None], np.zeros((count, 7))], axis=1)
    texts = UnreadTexts(bank(numbered), labels, ("en",) * count)
    test_clips = speaker_cells(clips, 3)[0].test
    found = pair(heard, texts, test_clips, seed=1)
    assert found.data.text is not None
    used = found.data.text.pooled[:, 0].numpy()
    assert not set(used[found.train]) & set(used[found.test])
    assert len(found.test) == len(test_clips)
    assert len(found.train) + len(found.test) == len(clips)


def test_rows_are_asked_for_by_the_papers_numbers(tmp_path: Path) -> None:
    asked = ReproduceOptions("rsa-cfn", tmp_path, rows=("10", "low-rank"))
    assert [row.system for row in real.asked_rows(asked)] == ["rsa_cfn", "low_rank_rsa_cfn"]
    everything = [row.name for row in real.asked_rows(ReproduceOptions("rsa-cfn", tmp_path))]
    assert "9" not in everything  # only label transform tells it from row 10
    with pytest.raises(ConfigError, match="Rows:"):
        real.asked_rows(ReproduceOptions("rsa-cfn", tmp_path, rows=("99",)))


def test_a_head_that_was_trained_before_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = acted()
    heard = features(clips)
    data = HeadData(heard.labels, heard.speech, heard.text)
    cell = speaker_cells(clips, 3)[0]
    kept, recipe = KeptHeads(tmp_path, resume=True), HeadRecipe(epochs=1)
    first = train_and_judge("early", data, cell.train, cell.test, recipe, 0, kept)
    monkeypatch.setattr(real_heads, "_train", lambda *_: pytest.fail("trained again"))
    again = train_and_judge("early", data, cell.train, cell.test, recipe, 0, kept)
    assert np.array_equal(first.logits, again.logits)
    assert again.parameters == first.parameters


@pytest.mark.parametrize("changed", ["seed", "recipe", "system", "rows", "features"])
def test_whatever_a_head_depends_on_makes_it_another(tmp_path: Path, changed: str) -> None:
    clips = acted()
    cell = speaker_cells(clips, 3)[0]
    kept = KeptHeads(tmp_path, resume=True)

    def train(alter: str) -> None:
        heard = features(clips, seed=int(alter == "features"))
        train_and_judge(
            "late" if alter == "system" else "early",
            HeadData(heard.labels, heard.speech, heard.text),
            cell.train[1:] if alter == "rows" else cell.train,
            cell.test,
            HeadRecipe(epochs=2 if alter == "recipe" else 1),
            int(alter == "seed"),
            kept,
        )

    train("nothing")
    train(changed)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_heads_are_trained_again_unless_asked_to_go_on(tmp_path: Path) -> None:
    clips = acted()
    heard = features(clips)
    data = HeadData(heard.labels, heard.speech, heard.text)
    cell = speaker_cells(clips, 3)[0]
    train_and_judge(
        "early", data, cell.train, cell.test, HeadRecipe(epochs=1), 0,
        KeptHeads(tmp_path, resume=True),
    )  # fmt: skip
    (path,) = tmp_path.glob("*.safetensors")
    assert KeptHeads(tmp_path, resume=True).find(path.stem) is not None
    assert KeptHeads(tmp_path, resume=False).find(path.stem) is None


@pytest.mark.parametrize(
    "given", [{"variant": Variant.PAPER}, {"protocol": "paper"}, {"frozen": True}, {"text": "x"}]
)
def test_what_means_nothing_on_real_clips_is_refused(tmp_path: Path, given: dict) -> None:  # type: ignore[type-arg]
    options = ReproduceOptions("rsa-cfn", tmp_path, data=tmp_path, **given)
    with pytest.raises(ConfigError, match="means nothing"):
        real.run(options)


def test_the_figure_is_drawn_of_clips_that_the_heads_never_saw(tmp_path: Path) -> None:
    clips = acted()
    heard = features(clips)
    data = HeadData(heard.labels, heard.speech, heard.text)
    written = draw_figure(data, speaker_cells(clips, 2), tmp_path)
    assert {path.suffix for path in written} == {".png", ".svg"}
    assert all(path.stat().st_size > 5000 for path in written)

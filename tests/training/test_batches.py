from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError, CorpusError, MediaError
from core.models.outputs import Encoded
from core.models.specification import Problem
from core.types import Modality
from tests.training.small_encoders import LetterProcessor
from tests.training.sounds import voice, write_wav
from training.data.augment.config import (
    AugmentConfig,
    MaskConfig,
    ModalityDropoutConfig,
    NoiseConfig,
    RecognitionErrorsConfig,
    WaveformConfig,
)
from training.data.batch import Batch, Targets
from training.data.batches import (
    BatchConfig,
    FeatureSource,
    InputSource,
    ScoringBatches,
    SystemBatches,
)
from training.data.buckets import BucketConfig, padded_share, shuffled_batches
from training.data.encoded_bank import EncodedBank
from training.data.example import Example
from training.data.feature_cache import FeatureBank
from training.data.loading import AudioLoader
from training.data.prefetch import prefetched
from training.data.sampling import SamplingConfig
from training.data.targets import targets_of

CLASSES = ("neutral", "happy", "sad")
BOTH = (Modality.SPEECH, Modality.TEXT)
ONE, MANY = Problem.SINGLE_LABEL, Problem.MULTI_LABEL


def bank(count: int, seed: int = 0) -> FeatureBank:
    """Features whose first value says which row they are of."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 300, count)
    sequences = tuple(torch.full((int(n), 3), float(row)) for row, n in enumerate(lengths))
    pooled = torch.arange(count).float()[:, None].expand(-1, 3).contiguous()
    return FeatureBank(EncodedBank(sequences, pooled, torch.empty(count, 0)), None, count)


def targets(count: int, rare: int = 0) -> Targets:
    """`rare` happy rows first, then neutral ones."""
    rows = [
        Example("c", str(n), labels=("happy" if n < rare else "neutral",)) for n in range(count)
    ]
    return targets_of(rows, CLASSES, ONE)


def epoch(batches: SystemBatches, seed: int = 0) -> list[Batch]:
    return list(batches(0, np.random.default_rng(seed)))


def rows_of(batches: list[Batch]) -> list[int]:
    return [row for batch in batches for row in batch.rows.tolist()]


@pytest.mark.parametrize(
    "config",
    [
        BatchConfig(size=8),
        BatchConfig(size=7, pool=2),
        BatchConfig(size=1),
        BatchConfig(size=500),
        BatchConfig(size=16, length=1000.0),
        BatchConfig(size=4, length=200.0),
    ],
)
def test_an_epoch_has_every_row_once_in_as_many_steps_as_stated(config: BatchConfig) -> None:
    chosen = list(range(10, 120))
    batches = SystemBatches(FeatureSource(bank(130)), targets(130), chosen, config)
    for seed in range(3):
        made = epoch(batches, seed)
        assert len(made) == batches.steps
        assert sorted(rows_of(made)) == chosen
        assert max(len(batch.rows) for batch in made) <= config.size
        for batch in made:
            assert batch.features is not None
            assert batch.features.speech is not None
            assert batch.features.speech.pooled[:, 0].tolist() == batch.rows.tolist()


def test_a_limit_of_length_holds_whatever_comes_together() -> None:
    source = FeatureSource(bank(200))
    batches = SystemBatches(source, targets(200), None, BatchConfig(size=64, length=900.0))
    for batch in epoch(batches):
        assert batch.features is not None
        assert batch.features.speech is not None
        assert batch.features.speech.mask.numel() <= 900


def test_batches_of_similar_length_compute_little_in_vain() -> None:
    lengths = np.random.default_rng(0).lognormal(1.2, 0.6, 2000)
    order = np.random.default_rng(1).permutation(2000)

    def share(config: BucketConfig) -> float:
        return padded_share(
            shuffled_batches(order, lengths, config, np.random.default_rng(2)), lengths
        )

    assert share(BucketConfig(16, pool=1)) > 2
    assert share(BucketConfig(16)) < 1.06
    assert share(BucketConfig(64, length=200.0)) < 1.1


def test_the_seed_decides_everything() -> None:
    batches = SystemBatches(FeatureSource(bank(60)), targets(60), None, BatchConfig(size=8))
    first, again, other = (rows_of(epoch(batches, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_rare_classes_come_as_often_as_asked_for() -> None:
    for balance, expected in ((1.0, 0.5), (0.5, 0.25)):
        config = BatchConfig(size=16, sampling=SamplingConfig(class_balance=balance))
        batches = SystemBatches(FeatureSource(bank(1000)), targets(1000, rare=100), None, config)
        made = epoch(batches)
        drawn = rows_of(made)
        assert len(made) == batches.steps == 63
        assert len(drawn) == 1000
        assert np.mean([row < 100 for row in drawn]) == pytest.approx(expected, abs=0.02)


def test_small_corpora_come_as_often_as_large_ones() -> None:
    config = BatchConfig(size=16, sampling=SamplingConfig(corpus_balance=1.0, size=2.0))
    corpora = ["small"] * 50 + ["large"] * 450
    batches = SystemBatches(FeatureSource(bank(500)), targets(500), None, config, corpora=corpora)
    drawn = rows_of(epoch(batches))
    assert len(drawn) == 1000
    assert np.mean([row < 50 for row in drawn]) == pytest.approx(0.5, abs=0.02)
    assert set(Counter(row for row in drawn if row < 50).values()) == {10}


def test_drawn_epochs_keep_their_number_of_steps_under_a_limit_of_length() -> None:
    sampling = SamplingConfig(class_balance=1.0)
    config = BatchConfig(size=16, length=800.0, sampling=sampling)
    batches = SystemBatches(FeatureSource(bank(300)), targets(300, rare=20), None, config)
    assert {len(epoch(batches, seed)) for seed in range(5)} == {batches.steps}


def test_scoring_sees_every_row_once_and_as_it_is() -> None:
    augment = AugmentConfig(masks=MaskConfig(), modality_dropout=ModalityDropoutConfig())
    features = bank(50)
    scoring = ScoringBatches(
        FeatureSource(features, augment), targets(50), range(5, 50), BatchConfig(size=8)
    )
    assert len(scoring) == 6
    for _ in range(2):
        made = list(scoring)
        assert sorted(rows_of(made)) == list(range(5, 50))
        for batch in made:
            assert batch.features is not None
            assert batch.features.speech is not None
            expected = features.batch(batch.rows.numpy()).speech
            assert expected is not None
            torch.testing.assert_close(batch.features.speech.sequence, expected.sequence)


def test_masks_are_laid_on_cached_features_in_training() -> None:
    augment = AugmentConfig(masks=MaskConfig(time_share=0.4))
    source = FeatureSource(bank(20), augment)
    batches = SystemBatches(source, targets(20), range(10, 20), BatchConfig(size=5))
    zeros = 0
    for batch in epoch(batches):
        assert batch.features is not None
        assert batch.features.speech is not None
        speech: Encoded = batch.features.speech
        zeros += int((speech.sequence[speech.mask] == 0).sum())
    assert zeros > 0


def examples(folder: Path, count: int = 10) -> list[Example]:
    return [
        Example(
            "c",
            str(n),
            write_wav(folder / f"{n}.wav", voice(0.2 + 0.05 * n, n)),
            text="word " * n + "end",
            labels=("happy",),
        )
        for n in range(count)
    ]


def test_inputs_are_what_the_processor_makes_of_each_row(tmp_path: Path) -> None:
    rows, processor = examples(tmp_path), LetterProcessor()
    batches = SystemBatches(
        InputSource(rows, processor, BOTH), targets_of(rows, CLASSES, ONE), None,
        BatchConfig(size=4),
    )  # fmt: skip
    for batch in epoch(batches):
        assert batch.features is None
        inputs = batch.inputs
        assert inputs is not None
        for place, row in enumerate(batch.rows.tolist()):
            alone = processor(AudioLoader().samples(rows[row]), rows[row].text)
            for name, mask in (("waveform", "waveform_mask"), ("tokens", "token_mask")):
                valid = getattr(inputs, mask)[place]
                padded = getattr(inputs, name)[place]
                torch.testing.assert_close(padded[valid], getattr(alone, name)[0])
                filling = processor.pad_id if name == "tokens" else 0
                assert (padded[~valid] == filling).all()


@pytest.mark.parametrize("augmented", [False, True])
def test_preparing_ahead_changes_nothing_but_when(tmp_path: Path, augmented: bool) -> None:
    rows = examples(tmp_path)
    augment = AugmentConfig(
        WaveformConfig(noise=NoiseConfig(1.0)), RecognitionErrorsConfig(1.0, 0.3),
        modality_dropout=ModalityDropoutConfig(0.3, 0.3),
    ) if augmented else None  # fmt: skip
    source = InputSource(rows, LetterProcessor(), BOTH, augment=augment)
    wanted = targets_of(rows, CLASSES, ONE)
    with_thread, without = (
        epoch(SystemBatches(source, wanted, None, BatchConfig(size=3, prefetch=ahead)))
        for ahead in (2, 0)
    )
    for one, other in zip(with_thread, without, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.inputs is not None
        for field in fields(one.inputs):
            first, second = getattr(one.inputs, field.name), getattr(other.inputs, field.name)
            assert (first is None) == (second is None)
            if first is not None:
                torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_waveforms_and_text_are_altered_in_training_only(tmp_path: Path) -> None:
    rows = examples(tmp_path)
    augment = AugmentConfig(
        WaveformConfig(noise=NoiseConfig(1.0)), RecognitionErrorsConfig(1.0, 0.5)
    )
    plain, altering = (
        InputSource(rows, LetterProcessor(), BOTH, augment=a) for a in (None, augment)
    )
    wanted = targets_of(rows, CLASSES, ONE)
    config = BatchConfig(size=10, prefetch=0)
    (clean,), (altered,) = (
        epoch(SystemBatches(s, wanted, None, config)) for s in (plain, altering)
    )
    assert clean.inputs is not None
    assert altered.inputs is not None
    assert not torch.equal(clean.inputs.waveform, altered.inputs.waveform)  # type: ignore[arg-type]
    assert clean.inputs.tokens.shape != altered.inputs.tokens.shape or not torch.equal(  # type: ignore[union-attr]
        clean.inputs.tokens,
        altered.inputs.tokens,  # type: ignore[arg-type]
    )
    (scored,), (expected,) = (ScoringBatches(s, wanted, None, config) for s in (altering, plain))
    torch.testing.assert_close(scored.inputs.waveform, expected.inputs.waveform)  # type: ignore[union-attr]
    torch.testing.assert_close(scored.inputs.tokens, expected.inputs.tokens)  # type: ignore[union-attr]


def test_an_unreadable_recording_stops_training_with_its_name(tmp_path: Path) -> None:
    rows = examples(tmp_path)
    rows[4] = replace(rows[4], audio=tmp_path / "absent.wav", start=0.0, end=0.3)
    source = InputSource(rows, LetterProcessor(), (Modality.SPEECH,))
    batches = SystemBatches(source, targets_of(rows, CLASSES, ONE), None, BatchConfig(size=2))
    with pytest.raises(MediaError, match=r"absent\.wav"):
        epoch(batches)


def test_items_made_ahead_come_in_order_and_their_thread_ends() -> None:
    before = threading.active_count()
    assert list(prefetched(iter(range(20)), 3)) == list(range(20))
    endless = prefetched(iter(lambda: 1, 0), 2)
    assert next(endless) == 1
    endless.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_errors_of_the_thread_are_raised_where_they_happened() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = prefetched(broken(), 2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_targets_of_one_and_of_many_labels() -> None:
    rows = [
        Example("c", "a", labels=("happy",), arousal=0.5, valence=-0.25),
        Example("c", "b", labels=("sad",)),
    ]
    one = targets_of(rows, CLASSES, ONE, weights=[1.0, 0.5])
    assert one.labels.tolist() == [[0, 1, 0], [0, 0, 1]]
    assert one.arousal[0] == 0.5
    assert one.valence[0] == -0.25
    assert one.arousal.isnan().tolist() == one.valence.isnan().tolist() == [False, True]
    assert one.weights.tolist() == [1.0, 0.5]
    several = [*rows, Example("c", "d", labels=("happy", "sad")), Example("c", "e")]
    assert targets_of(several, CLASSES, MANY).labels[2:].tolist() == [[0, 1, 1], [0, 0, 0]]


def test_labels_that_do_not_fit_the_problem_name_the_row() -> None:
    with pytest.raises(CorpusError, match=r"eval\.csv:7: the label 'disqust'"):
        targets_of([Example("c", "a", labels=("disqust",), source="eval.csv:7")], CLASSES, ONE)
    with pytest.raises(CorpusError, match="c/a has the labels happy, sad"):
        targets_of([Example("c", "a", labels=("happy", "sad"))], CLASSES, ONE)


def test_batches_of_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="no row"):
        SystemBatches(FeatureSource(bank(3)), targets(3), [])


@pytest.mark.parametrize("values", [{"size": 0}, {"length": -1.0}, {"pool": 0}, {"prefetch": -1}])
def test_sizes_that_make_no_sense_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        BatchConfig(**values)
    with pytest.raises(ValueError, match="must"):
        SamplingConfig(class_balance=1.5)

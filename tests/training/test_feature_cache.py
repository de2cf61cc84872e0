from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from core.errors import CheckpointError, ConfigError, CorpusError, MediaError
from core.models.bimodal import BimodalModel
from core.models.checkpoint import load_checkpoint
from core.models.encoders.pretrained import (
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.outputs import Encoded, ModelInputs
from core.resources import embedded_checkpoint
from core.types import Modality
from tests.training.small_encoders import LetterEncoder, LetterProcessor, WaveEncoder
from tests.training.sounds import voice, write_wav
from training.data import content_digest, feature_store
from training.data.augment.config import (
    AugmentConfig,
    NoiseConfig,
    RecognitionErrorsConfig,
    WaveformConfig,
)
from training.data.example import Example
from training.data.extraction import tight_batches
from training.data.feature_cache import ExtractionConfig, bank_of, feature_bank
from training.data.feature_store import FeatureStore
from training.data.loading import AudioLoader
from training.generated.encoders import write_encoder

EXACT = ExtractionConfig(sequence="float32")
SPEECH, TEXT = Modality.SPEECH, Modality.TEXT


def corpus(folder: Path, count: int = 6) -> list[Example]:
    """Utterances of different lengths, two to a recording."""
    examples = []
    for number in range(count):
        path = folder / f"{number // 2}.wav"
        if not path.exists():
            write_wav(path, voice(2.5, number))
        start = 1.0 * (number % 2)
        examples.append(
            Example(
                "corpus",
                f"u{number}",
                path,
                start,
                start + 0.4 + 0.13 * number,
                text="word " * (number + 1) + str(number),
                source=f"table.csv:{number + 2}",
            )
        )
    return examples


def live(encoder: torch.nn.Module, processor: LetterProcessor, example: Example) -> Encoded:
    """What the app computes for one utterance."""
    encoder.eval()
    with torch.no_grad():
        return encoder(processor(AudioLoader().samples(example), example.text, example.language))


@pytest.mark.parametrize("modality", [SPEECH, TEXT])
def test_cached_features_are_what_the_live_path_computes(
    tmp_path: Path, modality: Modality
) -> None:
    examples, processor = corpus(tmp_path), LetterProcessor()
    encoder = WaveEncoder() if modality is SPEECH else LetterEncoder()
    bank = bank_of(encoder, processor, examples, modality, cache=tmp_path / "cache", config=EXACT)
    rows = [4, 0, 2, 4]
    batch = bank.batch(rows)
    assert batch.sequence.dtype == batch.pooled.dtype == torch.float32
    assert batch.logits.shape == (4, 0)
    for place, row in enumerate(rows):
        alone = live(encoder, processor, examples[row])
        length = alone.sequence.shape[1]
        assert batch.mask[place].sum() == length
        torch.testing.assert_close(
            batch.sequence[place, :length], alone.sequence[0], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(batch.pooled[place], alone.pooled[0], atol=1e-5, rtol=0)
        assert batch.sequence[place, length:].abs().sum() == 0


def test_half_precision_rounds_sequences_and_leaves_pooled_vectors_exact(tmp_path: Path) -> None:
    examples, processor, encoder = corpus(tmp_path), LetterProcessor(), WaveEncoder()
    bank = bank_of(encoder, processor, examples, SPEECH, cache=tmp_path / "cache")
    assert bank.sequences[0].dtype == torch.float16
    alone = live(encoder, processor, examples[3])
    torch.testing.assert_close(bank.batch([3]).sequence, alone.sequence, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(bank.batch([3]).pooled, alone.pooled, atol=1e-5, rtol=0)


def test_features_of_the_shipped_encoders_are_what_the_app_computes(tmp_path: Path) -> None:
    loaded = load_checkpoint(embedded_checkpoint())
    assert isinstance(loaded.model, BimodalModel)
    examples = [replace(one, language="en") for one in corpus(tmp_path, 4)]
    bank = feature_bank(
        loaded.model.speech, loaded.model.text, loaded.processor, examples,
        cache=tmp_path / "cache", config=EXACT,
    )  # fmt: skip
    assert not loaded.model.training
    with torch.no_grad():
        samples = AudioLoader().samples(examples[2])
        alone = loaded.model.encode(loaded.processor(samples, examples[2].text, "en"))
    cached = bank.batch([2])
    for found, expected in ((cached.speech, alone.speech), (cached.text, alone.text)):
        assert found is not None
        assert expected is not None
        torch.testing.assert_close(found.pooled, expected.pooled, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.sequence, expected.sequence, atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny encoders as the hub has them; the first is the one that padding upsets."""
    folder = tmp_path_factory.mktemp("encoders")
    kinds = ("wav2vec2_base_like", "wav2vec2_large_like", "klue_roberta_like")
    return {kind: write_encoder(kind, folder / kind) for kind in kinds}


@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wav2vec2_large_like"])
def test_pretrained_features_are_what_the_app_computes(
    tmp_path: Path, folders: dict[str, Path], kind: str
) -> None:
    speech, text = (
        load_pretrained_speech(folders[kind]),
        load_pretrained_text(folders["klue_roberta_like"]),
    )
    processor = make_processor(speech, text, languages=("ko",))
    examples = [
        replace(one, text="오늘 날씨가 정말 좋다 " * (n + 1))
        for n, one in enumerate(corpus(tmp_path))
    ]
    padded = replace(EXACT, padding=0.6)  # so that batches are filled up
    bank = feature_bank(
        speech.encoder, text.encoder, processor, examples, cache=tmp_path / "cache", config=padded
    )
    rows = [5, 0, 3]
    cached = bank.batch(rows)
    for place, row in enumerate(rows):
        inputs = processor(AudioLoader().samples(examples[row]), examples[row].text)
        with torch.no_grad():
            pairs = ((cached.speech, speech.encoder(inputs)), (cached.text, text.encoder(inputs)))
        for found, alone in pairs:
            assert found is not None
            valid = found.sequence[place][found.mask[place]]
            torch.testing.assert_close(valid, alone.sequence[0], atol=1e-5, rtol=0)
            torch.testing.assert_close(found.pooled[place], alone.pooled[0], atol=1e-5, rtol=0)


def test_half_the_bits_are_nearly_as_good(tmp_path: Path, folders: dict[str, Path]) -> None:
    speech = load_pretrained_speech(folders["wav2vec2_base_like"])
    processor, examples = make_processor(speech), corpus(tmp_path)
    full, fast = (
        bank_of(speech.encoder, processor, examples, SPEECH, config=replace(EXACT, bf16=bf16))
        for bf16 in (False, True)
    )
    assert fast.pooled.dtype == torch.float32
    assert not torch.equal(fast.pooled, full.pooled)
    assert torch.cosine_similarity(fast.pooled, full.pooled).min() > 0.99


def test_an_encoder_that_takes_padding_in_gives_the_same_every_time(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    published = load_pretrained_speech(
        folders["wav2vec2_base_like"], pooling="padded_last", respect_padding=False
    )
    processor, examples = make_processor(published), corpus(tmp_path)
    loose = replace(EXACT, padding=0.6)
    together = bank_of(published.encoder, processor, examples, SPEECH, config=loose)
    alone = bank_of(published.encoder, processor, examples[1:2], SPEECH, config=loose)
    torch.testing.assert_close(together.pooled[1], alone.pooled[0], atol=1e-5, rtol=0)

    filled = replace(EXACT, fill_seconds=3.0)
    bank = bank_of(published.encoder, processor, examples, SPEECH, config=filled)
    waveform = processor(AudioLoader().samples(examples[1])).waveform
    assert waveform is not None
    zeros = torch.nn.functional.pad(waveform, (0, 48_000 - waveform.shape[1]))
    with torch.no_grad():
        expected = published.encoder.model(zeros).last_hidden_state[0, -1]
    torch.testing.assert_close(bank.pooled[1], expected, atol=1e-4, rtol=0)
    assert (bank.pooled[1] - alone.pooled[0]).abs().max() > 1e-3


def test_every_utterance_is_encoded_once(tmp_path: Path) -> None:
    examples, processor, encoder = corpus(tmp_path), LetterProcessor(), WaveEncoder()
    cache = tmp_path / "cache"
    first = bank_of(encoder, processor, examples, SPEECH, cache=cache)
    assert encoder.rows == len(examples)
    again = bank_of(encoder, processor, examples[::-1], SPEECH, cache=cache)
    assert encoder.rows == len(examples)
    torch.testing.assert_close(again.pooled, first.pooled.flip(0))
    more = [*examples, replace(examples[0], id="new", end=2.0)]
    bank_of(encoder, processor, more, SPEECH, cache=cache)
    assert encoder.rows == len(examples) + 1


def test_identical_audio_under_another_name_is_not_encoded_again(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path, 2), WaveEncoder()
    copy = tmp_path / "copy.wav"
    copy.write_bytes((tmp_path / "0.wav").read_bytes())
    moved = [replace(one, audio=copy, id=f"copy-{one.id}") for one in examples]
    bank = bank_of(encoder, LetterProcessor(), [*examples, *moved], SPEECH, cache=tmp_path / "c")
    assert encoder.rows == 2
    torch.testing.assert_close(bank.pooled[:2], bank.pooled[2:])


def change_weights(encoder: WaveEncoder) -> None:
    with torch.no_grad():
        encoder.frame.bias[0] += 1e-4


def change_audio(examples: list[Example]) -> None:
    path = examples[0].audio
    assert path is not None
    write_wav(path, voice(2.5, 99))


@pytest.mark.parametrize(
    ("change", "encoded"),
    [
        (lambda case: change_weights(case["encoder"]), 6),
        (lambda case: case["encoder"].__setattr__("config", lambda: {"kind": "other"}), 6),
        (lambda case: case.update(processor=LetterProcessor(scale=0.5)), 6),
        (lambda case: case.update(config=ExtractionConfig(sequence="float32")), 6),
        (lambda case: case.update(config=ExtractionConfig(bf16=True)), 6),
        (lambda case: change_audio(case["examples"]), 2),
        (lambda case: case["examples"].append(replace(case["examples"][0], start=0.1)), 1),
        (lambda case: case["examples"].append(replace(case["examples"][0], channel=0)), 1),
        (lambda case: case.update(config=ExtractionConfig(seconds=1.0, padding=0.0)), 0),
    ],
    ids=["weights", "config", "processor", "type", "bf16", "audio", "cut", "channel", "speed only"],
)
def test_nothing_stale_is_served(
    tmp_path: Path, change: Callable[[dict[str, object]], object], encoded: int
) -> None:
    encoder = WaveEncoder()
    case: dict[str, object] = {
        "encoder": encoder,
        "processor": LetterProcessor(),
        "examples": corpus(tmp_path),
        "config": ExtractionConfig(),
    }

    def run() -> None:
        bank_of(
            encoder, case["processor"], case["examples"], SPEECH,  # type: ignore[arg-type]
            cache=tmp_path / "cache", config=case["config"],  # type: ignore[arg-type]
        )  # fmt: skip

    run()
    before = encoder.rows
    change(case)
    run()
    assert encoder.rows - before == encoded


def test_another_library_version_encodes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    for number in ("5.0.0", "6.0.0", "5.0.0"):
        monkeypatch.setattr(content_digest, "version", lambda _, number=number: number)
        bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=tmp_path / "cache")
    assert encoder.rows == 2 * len(examples)


def test_changed_text_is_encoded_again(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path), LetterEncoder()
    cache = tmp_path / "cache"
    bank_of(encoder, LetterProcessor(), examples, TEXT, cache=cache)
    examples[2] = replace(examples[2], text="something else")
    bank = bank_of(encoder, LetterProcessor(), examples, TEXT, cache=cache)
    assert encoder.rows == len(examples) + 1
    torch.testing.assert_close(
        bank.batch([2]).pooled, live(encoder, LetterProcessor(), examples[2]).pooled
    )


def test_what_was_encoded_before_an_interruption_is_kept(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    cache = tmp_path / "cache"

    def interrupt(inputs: ModelInputs) -> None:
        if encoder.rows >= 4:
            raise KeyboardInterrupt

    encoder.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=cache)
    encoder.before = None
    bank = bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=cache)
    assert encoder.rows == len(examples)
    assert len(bank) == len(examples)


KILLED = """
import os, sys
from pathlib import Path
from training.data import content_digest, feature_store
from training.data.feature_cache import bank_of
from tests.training.small_encoders import LetterProcessor, WaveEncoder
from tests.training.test_feature_cache import SPEECH, corpus
feature_store.SHARD_BYTES = 1  # every utterance at once
folder = Path(sys.argv[1])
encoder = WaveEncoder()
encoder.before = lambda inputs: os._exit(9) if encoder.rows >= 3 else None
bank_of(encoder, LetterProcessor(), corpus(folder), SPEECH, cache=folder / "cache")
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, project: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=project, check=False)
    assert ended.returncode == 9
    examples, encoder = corpus(tmp_path), WaveEncoder()
    bank = bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=tmp_path / "cache")
    assert encoder.rows == 3
    torch.testing.assert_close(
        bank.batch([5]).pooled, live(encoder, LetterProcessor(), examples[5]).pooled
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_damaged_shard_is_made_again(tmp_path: Path, suffix: str) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    cache = tmp_path / "cache"
    bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=cache)
    (shard,) = cache.glob(f"*/shard-*{suffix}")
    shard.write_bytes(shard.read_bytes()[:-20])
    bank = bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=cache)
    assert encoder.rows == 2 * len(examples)
    torch.testing.assert_close(
        bank.batch([1]).pooled, live(encoder, LetterProcessor(), examples[1]).pooled
    )


def test_several_writers_share_a_folder(tmp_path: Path) -> None:
    stores = [FeatureStore(tmp_path, "e" * 64) for _ in range(2)]
    for number in range(6):
        row = torch.full((number + 1, 2), float(number))
        stores[number % 2].add(f"key{number}", row, row[0])
        stores[0].add("both", torch.zeros(1, 2), torch.zeros(2))
        stores[1].add("both", torch.zeros(1, 2), torch.zeros(2))
        stores[number % 2].flush()
    for store in stores:
        store.flush()
    reader = FeatureStore(tmp_path, "e" * 64)
    bank = reader.bank([f"key{number}" for number in range(6)])
    assert bank.lengths.tolist() == [1, 2, 3, 4, 5, 6]
    assert bank.pooled[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert not list(tmp_path.rglob(".part-*"))


def test_shards_of_another_encoder_are_not_read(tmp_path: Path) -> None:
    mine = FeatureStore(tmp_path, "a" * 64)
    mine.add("key", torch.ones(1, 2), torch.ones(2))
    mine.flush()
    mine.folder.rename(tmp_path / ("b" * 24))
    assert "key" not in FeatureStore(tmp_path, "b" * 64)


def test_features_stay_on_disk_until_they_are_used(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "a" * 64)
    for number in range(30):
        store.add(str(number), torch.ones(4000, 256, dtype=torch.float16), torch.ones(256))
    store.flush()
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert size > 60e6
    del store
    before = psutil.Process().memory_info().rss
    bank = FeatureStore(tmp_path, "a" * 64).bank([str(number) for number in range(30)])
    assert bank.batch([3]).sequence.sum() == 4000 * 256
    assert psutil.Process().memory_info().rss - before < size / 3


def test_large_caches_are_cut_into_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "SHARD_BYTES", 2000)
    examples, encoder = corpus(tmp_path), WaveEncoder()
    bank = bank_of(encoder, LetterProcessor(), examples, SPEECH, cache=tmp_path / "cache")
    assert len(list(tmp_path.glob("cache/*/shard-*.json"))) > 1
    for row in range(len(examples)):
        expected = live(encoder, LetterProcessor(), examples[row])
        torch.testing.assert_close(bank.batch([row]).pooled, expected.pooled)


def test_exact_lengths_leave_nothing_to_pad(tmp_path: Path) -> None:
    examples = corpus(tmp_path)
    examples += [
        replace(one, id=f"{one.id}-later", start=(one.start or 0) + 0.05, end=(one.end or 0) + 0.05)
        for one in examples
    ]
    encoder = WaveEncoder()
    seen: list[int] = []
    encoder.before = lambda inputs: seen.append(len(inputs.waveform))  # type: ignore[arg-type]
    bank_of(encoder, LetterProcessor(), examples, SPEECH, config=ExtractionConfig(padding=0.0))
    assert encoder.padding == 0
    assert max(seen) > 1  # those of equal length come together
    assert sum(seen) == len(examples)


def test_batches_are_tight_and_within_their_budget() -> None:
    generator = np.random.default_rng(0)
    lengths = generator.uniform(0.5, 12, 500).tolist()
    batches = tight_batches(lengths, 60.0, 0.02)
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        computed = longest * len(batch)
        assert computed <= 60
        assert sum(lengths[index] for index in batch) >= 0.979 * computed
    assert len(batches) < 150
    assert tight_batches([90.0, 1.0], 60.0, 0.02) == [[0], [1]]


def test_encoders_are_in_evaluation_mode_while_they_encode_and_as_before_afterwards(
    tmp_path: Path,
) -> None:
    examples, encoder = corpus(tmp_path, 2), WaveEncoder()
    encoder.train()
    encoder.frame.eval()
    bank = bank_of(encoder, LetterProcessor(), examples, SPEECH)
    assert encoder.training
    assert encoder.dropout.training
    assert not encoder.frame.training
    torch.testing.assert_close(
        bank.batch([0]).pooled, live(encoder, LetterProcessor(), examples[0]).pooled
    )


def test_rows_without_a_modality_are_named(tmp_path: Path) -> None:
    examples = corpus(tmp_path, 2)
    processor = LetterProcessor()
    with pytest.raises(CorpusError, match=r"table\.csv:3 has no text"):
        bank_of(LetterEncoder(), processor, [examples[0], replace(examples[1], text=None)], TEXT)
    with pytest.raises(CorpusError, match=r"table\.csv:2: .*language \(pl\)"):
        bank_of(LetterEncoder(), processor, [replace(examples[0], language="pl")], TEXT)
    absent = replace(examples[0], audio=tmp_path / "absent.wav")
    with pytest.raises(MediaError, match=r"absent\.wav"):
        bank_of(WaveEncoder(), processor, [absent], SPEECH)


@pytest.mark.parametrize(("value", "sequence"), [(float("nan"), "float32"), (1e6, "float16")])
def test_values_that_cannot_be_kept_are_refused(
    tmp_path: Path, value: float, sequence: str
) -> None:
    encoder = LetterEncoder()
    with torch.no_grad():
        encoder.letters.weight[:] = value
    config = ExtractionConfig(sequence=sequence)
    with pytest.raises(CheckpointError, match=f"not finite in {sequence}"):
        bank_of(encoder, LetterProcessor(), corpus(tmp_path, 1), TEXT, config=config)


def test_a_cache_that_cannot_be_written_is_named_before_anything_is_encoded(
    tmp_path: Path,
) -> None:
    encoder = WaveEncoder()
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(ConfigError, match=r"cache.*can't be written .* another cache folder"):
        bank_of(encoder, LetterProcessor(), corpus(tmp_path), SPEECH, cache=tmp_path / "cache")
    assert encoder.rows == 0


def test_without_sequences_only_pooled_vectors_are_kept(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    bank = bank_of(
        encoder, LetterProcessor(), examples, SPEECH, config=ExtractionConfig(sequence="none")
    )
    batch = bank.batch([1, 2])
    assert batch.sequence.shape == (2, 1, encoder.dim)
    torch.testing.assert_close(batch.sequence[:, 0], batch.pooled)
    torch.testing.assert_close(
        batch.pooled[:1], live(encoder, LetterProcessor(), examples[1]).pooled
    )


COPIES = AugmentConfig(
    WaveformConfig(noise=NoiseConfig(1.0)), RecognitionErrorsConfig(1.0, 0.3), copies=2
)


def test_altered_copies_are_cached_beside_the_originals(tmp_path: Path) -> None:
    examples, speech, text = corpus(tmp_path), WaveEncoder(), LetterEncoder()
    cache = tmp_path / "cache"
    plain = feature_bank(speech, text, LetterProcessor(), examples, cache=cache)
    bank = feature_bank(speech, text, LetterProcessor(), examples, cache=cache, augment=COPIES)
    assert speech.rows == text.rows == 3 * len(examples)  # originals were there already
    assert len(bank) == len(examples)
    rows = list(range(len(examples)))
    for original, found in zip(
        (plain.batch(rows).speech, plain.batch(rows).text),
        (bank.batch(rows).speech, bank.batch(rows).text),
        strict=True,
    ):
        assert original is not None
        assert found is not None
        torch.testing.assert_close(original.pooled, found.pooled)
    assert bank.speech is not None
    pooled = bank.speech.pooled.view(3, len(examples), -1)
    assert (pooled[1] - pooled[0]).abs().max() > 1e-4
    assert (pooled[2] - pooled[1]).abs().max() > 1e-4


def test_only_rows_that_are_trained_on_have_copies(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    bank = bank_of(
        encoder, LetterProcessor(), examples, SPEECH, augment=COPIES, altered=np.array([0, 4])
    )
    assert encoder.rows == len(examples) + 2 * 2
    pooled = bank.pooled.view(3, len(examples), -1)
    kept = [bool((pooled[0, row] == pooled[1:, row]).all()) for row in range(len(examples))]
    assert kept == [False, True, True, True, False, True]


def test_a_copy_does_not_depend_on_what_else_is_encoded(tmp_path: Path) -> None:
    examples, encoder = corpus(tmp_path), WaveEncoder()
    all_of_them = bank_of(encoder, LetterProcessor(), examples, SPEECH, augment=COPIES)
    one = bank_of(encoder, LetterProcessor(), examples[4:5], SPEECH, augment=COPIES)
    torch.testing.assert_close(one.pooled, all_of_them.pooled[[4, 10, 16]])


def test_copies_are_drawn_in_training_only(tmp_path: Path) -> None:
    examples = corpus(tmp_path)
    bank = feature_bank(WaveEncoder(), None, LetterProcessor(), examples, augment=COPIES)
    assert bank.speech is not None
    generator = np.random.default_rng(0)
    drawn = set()
    for _ in range(40):
        features = bank.batch([1], generator).speech
        assert features is not None
        drawn.add(float(features.pooled[0, 0]))
    assert drawn == {float(bank.speech.pooled[row, 0]) for row in (1, 7, 13)}
    original = bank.batch([1]).speech
    assert original is not None
    assert float(original.pooled[0, 0]) == float(bank.speech.pooled[1, 0])


def test_lengths_add_up_over_modalities(tmp_path: Path) -> None:
    bank = feature_bank(WaveEncoder(), LetterEncoder(), LetterProcessor(), corpus(tmp_path, 2))
    assert bank.speech is not None
    assert bank.text is not None
    assert bank.lengths.tolist() == (bank.speech.lengths + bank.text.lengths).tolist()

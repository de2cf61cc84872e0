"""The published tables agree with themselves, and with what their papers say of them."""

from __future__ import annotations

import pytest

from core.models.systems.registry import SYSTEMS
from training.data.augment.config import AugmentConfig
from training.reproduce import adaptation, published
from training.reproduce.corpora import EncoderNames
from training.reproduce.knu import row_config as knu_config
from training.reproduce.options import ReproduceOptions
from training.reproduce.rsa_cfn import chosen_rows, row_config

RSA, KNU = published.RSA_CFN_ROWS, published.KNU_ROWS


def test_published_counts_leave_the_last_batch_of_sixteen_out():
    assert [sum(row.counts) for row in RSA] == [published.COUNTED_ROWS] * 11
    assert sum(published.EVALUATION_COUNTS) // 16 * 16 == published.COUNTED_ROWS
    assert all(len(row.counts) == 7 for row in RSA)


def test_published_weighted_f1_lies_where_the_paper_says():
    figures = [row.figures["f1_weighted"] for row in RSA]
    assert (min(figures), max(figures)) == (0.87552, 0.89254)
    assert max(RSA, key=lambda row: row.figures["f1_weighted"]).name == "10"
    assert [row.name for row in RSA if not row.label_transform] == ["9"]


def test_the_text_backbones_repeat_rows_of_the_first_table():
    by_name = {row.name: row.figures["f1_weighted"] for row in RSA}
    xlm, klue = (row.figures["f1_weighted"] for row in published.TEXT_BACKBONE_ROWS)
    assert (xlm, klue) == (by_name["9"], by_name["10"])


def test_label_transform_adds_the_two_label_rows_to_training():
    before, after = published.LABEL_TRANSFORM_BEFORE, published.LABEL_TRANSFORM_AFTER
    assert (sum(before), sum(after)) == (10_262, 10_874)
    assert before[0] == after[0]
    assert sum(after) - sum(before) == 612
    assert sum(before) + sum(published.EVALUATION_COUNTS) == 12_828


def test_published_mean_concordance_is_the_mean_of_both():
    for row in KNU:
        both = (row.figures["ccc_arousal"] + row.figures["ccc_valence"]) / 2
        assert row.figures["ccc_mean"] == pytest.approx(both, abs=6e-5), row.name


def test_every_row_has_a_system_and_a_name_of_its_own():
    for rows in (RSA, KNU):
        assert len({row.name for row in rows}) == len(rows)
        assert all(row.system in SYSTEMS for row in rows)


@pytest.mark.parametrize("protocol", ["default", "paper"])
@pytest.mark.parametrize("variant", ["corrected", "paper"])
@pytest.mark.parametrize("frozen", [False, True])
def test_every_row_can_be_configured_in_every_way(protocol, variant, frozen, tmp_path):
    from core.models.systems.head import Variant

    options = {
        "out": tmp_path, "protocol": protocol, "variant": Variant(variant), "frozen": frozen
    }  # fmt: skip
    for row in RSA:
        config = row_config(row, ReproduceOptions("rsa-cfn", **options), EncoderNames())
        assert config.variant == variant
        assert config.is_cached == frozen
        assert config.split.speaker_independent == (protocol == "default")
        assert (config.selection == "test") == (protocol == "paper")
        assert config.corpus.label_transform == row.label_transform
    for row in KNU:
        config = knu_config(row, ReproduceOptions("knu", **options), EncoderNames())
        assert config.is_multi_label
        assert config.affect
        assert config.split.kind == ("blocks" if protocol == "paper" else "speakers")


def test_the_configurations_are_what_the_paper_did():
    for name, size in (("speech", 16), ("text", 16), ("early", 6), ("rsa_cfn", 4), ("hybrid", 4)):
        config = adaptation.base_config("rsa_cfn", name)
        rate = 1e-4 if name == "speech" else 1e-5
        assert config.batches.size == size
        assert config.trainer.learning_rate == pytest.approx(rate)
        assert (config.trainer.epochs, config.trainer.weight_decay) == (10, 0.0)
        assert config.augment == AugmentConfig()
    config = adaptation.base_config("knu", "kemdy20_add")
    assert (config.batches.size, config.trainer.epochs, config.trainer.seed) == (32, 5, 1234)
    assert config.speech.longest_seconds == 5.0


def test_as_published_the_knu_systems_hear_convolutions_and_the_last_frame():
    config = adaptation.as_published(adaptation.base_config("knu", "kemdy20_cat"))
    speech = config.speech
    assert (speech.output, speech.pooling) == ("extract_features", "padded_last")
    assert not speech.respect_padding
    assert speech.normalise is False
    assert adaptation.with_published_split(config).split.validation == 0.0


@pytest.mark.parametrize("task", adaptation.TASKS)
def test_knu_tasks_train_labels_affect_or_both(task):
    config = adaptation.for_task(adaptation.base_config("knu", "kemdy19_text"), task)
    assert config.affect == (task != "classification")
    assert (config.loss.emotion == "none") == (task == "regression")


def test_rows_come_in_the_order_of_the_table_and_the_figure_needs_rsa(tmp_path):
    asked = ReproduceOptions("rsa-cfn", tmp_path, rows=("10", "3"), figure=True)
    assert [row.name for row in chosen_rows(asked)] == ["3", "10", "8"]
    everything = chosen_rows(ReproduceOptions("rsa-cfn", tmp_path))
    assert [row.name for row in everything] == [*map(str, range(1, 12)), "10x"]

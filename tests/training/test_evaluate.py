from __future__ import annotations

import csv
import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from core.models.checkpoint import load_checkpoint
from core.models.processor import Processor
from core.pipeline.analyzer import load_analyzer
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import make_checkpoint, make_processor, voice
from training.data.label_maps import load_label_map
from training.data.text_rows import read_labels
from training.evaluate import main
from training.evaluation.baselines import add_baselines
from training.evaluation.causal import plan_hearings
from training.evaluation.class_names import KOTE_NAMES
from training.evaluation.clips import Measurer, read_clips, read_samples
from training.evaluation.judging import BatchJudge
from training.evaluation.seen import Seen, as_training, script_key
from training.evaluation.speech_scores import text_reason
from training.evaluation.text_parts import read_text_parts

KEYS = {
    "n", "classes", "uar", "uar_personal", "uar_causal", "uar_text", "uar_fused", "wa",
    "f1_weighted", "f1_macro", "ece", "svm_uar", "svm_uar_personal",
}  # fmt: skip

PITCH = {"neutral": 110, "calm": 115, "happy": 260, "angry": 220, "sad": 90, "boredom": 100}
ROWS = {
    # corpus: (language, speakers, emotions, text by emotion or one for all)
    "ravdess": ("en", ("A01", "A02", "A03"), ("neutral", "calm", "happy", "angry"), "Dogs sit."),
    "emotiontts_ko": ("ko", ("ema", "emb"), ("neutral", "happy", "angry", "sad"), None),
    "emodb": ("de", ("03", "08"), ("neutral", "angry", "boredom"), "Der Lappen liegt."),
}
KOREAN = {
    "neutral": ("기차가 늦었어요", "아무 일도 아니에요"),
    "happy": ("정말 기쁘다!", "반가워요"),
    "angry": ("왜 화가 나", "이게 뭐야"),
    "sad": ("너무 슬퍼요", "눈물이 나요"),
}
TRAINED = as_training(
    speakers={"ravdess": ["A01"], "emotiontts_ko": []},
    calibration_speakers={"ravdess": ["A02"]},
    texts=[("goemotions_en", "train", None), ("kote", "val", [0, 2])],
)


def write_wav(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def write_speech(data: Path) -> None:
    rows = []
    for corpus, (language, speakers, emotions, text) in ROWS.items():
        for number, speaker in enumerate(speakers):
            for emotion in emotions:
                for take in range(2):
                    name = f"{corpus}/{speaker}/{emotion}_{take}.wav"
                    pitch = PITCH[emotion] * (1 + 0.2 * number)
                    samples = voice(0.6 + 0.1 * take, pitch, seed=len(rows))
                    write_wav(data / "speech" / name, samples)
                    words = text or KOREAN[emotion][take]
                    rows.append((name, corpus, speaker, language, emotion, words))
    with (data / "speech" / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "corpus", "speaker", "language", "emotion", "text"))
        table.writerows(rows)


def write_text(data: Path) -> None:
    def put(name: str, content: str) -> None:
        path = data / "text" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    english = ["I am so happy\t17\tx1", 'why are you "angry\t2,25\tx2', "a train\t27\tx3"]
    put("goemotions_en/train.tsv", "\n".join(english * 5))
    put("goemotions_en/dev.tsv", "\n".join(english))
    kote = list(load_label_map("kote").targets)
    put("kote/labels.txt", "\n".join(kote))
    ids = ",".join(str(kote.index(n)) for n in ("기쁨", "놀람"))
    put(
        "kote/val.tsv",
        f'1\t정말 기쁘다\t{ids}\n2\t"그는 ""왜""\n라고 했다"\t{kote.index("슬픔")}\n3\t아\t{ids}\n',
    )
    put("german/test.tsv", "Ich bin so froh heute\tjoy\nWarum bist du böse\tanger\n")
    put("plain_en/test.tsv", "I am so happy\tjoy\nwhy are you angry\tanger\nthe train\tneutral\n")
    put("odd/test.tsv", "I am so happy\tpurple\n")
    put(
        "meld/dev_sent_emo.csv", 'Sr,Utterance,Emotion\n1,"I am so happy, today",joy\n2,why,anger\n'
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data")
    write_speech(path)
    write_text(path)
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny", trained_on=TRAINED)


@pytest.fixture(scope="module")
def processor() -> Processor:
    return make_processor()


def evaluated(checkpoint: Path, data: Path, out: Path, *more: str) -> dict:
    assert main([str(checkpoint), "--data", str(data), "--json", str(out), *more]) == 0
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def report(checkpoint, data, tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("out") / "report.json"
    return evaluated(checkpoint, data, out, "--train-data", str(data))


def test_every_key_is_there(report):
    assert set(report["corpora"]) == set(ROWS)
    for figures in report["corpora"].values():
        assert set(figures) >= KEYS
        assert set(figures["uar_causal"]) == {"10", "30", "60"}
        assert 0 <= figures["uar"] <= 1
        low, high = figures["intervals"]["uar"]
        assert low <= figures["uar"] <= high
    for figures in report["text"].values():
        assert {"f1_macro", "f1_weighted", "n"} <= set(figures)


def test_speakers_that_were_trained_or_calibrated_on_are_left_out_and_counted(report):
    ravdess = report["corpora"]["ravdess"]
    assert ravdess["n"] == 8
    assert ravdess["speakers"] == 1
    assert "8 (trained on the speaker), 8 (calibrated on the speaker)" in " ".join(ravdess["notes"])
    assert "trained on ravdess: A01" in report["notes"]


def test_calm_counts_as_neutral_and_boredom_is_left_out(report):
    assert report["corpora"]["ravdess"]["classes"] == ["neutral", "happy", "angry"]
    emodb = report["corpora"]["emodb"]
    assert emodb["classes"] == ["neutral", "angry"]
    assert emodb["n"] == 8
    assert "4 (unknown class boredom)" in " ".join(emodb["notes"])


def test_text_is_judged_only_where_it_can_say_something(report):
    assert report["corpora"]["emotiontts_ko"]["uar_text"] is not None
    assert report["corpora"]["emotiontts_ko"]["uar_fused"] is not None
    for corpus, reason in (("ravdess", "same texts"), ("emodb", "language (de)")):
        assert report["corpora"][corpus]["uar_text"] is None
        assert report["corpora"][corpus]["uar_fused"] is None
        assert reason in " ".join(report["corpora"][corpus]["notes"])


def test_scripts_that_are_spoken_in_several_emotions_are_told_apart(checkpoint, data, tmp_path):
    shutil.copytree(data / "speech", tmp_path / "speech")
    manifest = tmp_path / "speech" / "manifest.csv"
    text = manifest.read_text(encoding="utf-8")
    plain = [
        f"{name.rsplit(',', 1)[0]},그냥 말이에요" for name in text.splitlines() if "_0.wav" in name
    ]
    manifest.write_text("\n".join([*text.splitlines(), *plain]), encoding="utf-8")
    found = evaluated(checkpoint, tmp_path, tmp_path / "r.json")["corpora"]["emotiontts_ko"]
    assert found["n"] == 24
    assert found["telling_scripts"]["n"] == 16


def test_only_classes_of_the_corpus_are_predicted(report):
    labels = load_labels(report)
    for figures in report["corpora"].values():
        matrix = np.array(figures["confusion"])
        absent = [i for i, name in enumerate(labels) if name not in figures["classes"]]
        assert matrix[:, absent].sum() == matrix[absent].sum() == 0
        assert matrix.sum() == figures["n"]


def load_labels(report: dict) -> list[str]:
    assert report["checkpoint"]["name"] == "tiny"
    return ["neutral", "happy", "angry", "surprise", "sad", "fear", "disgust"]


def test_text_parts_that_were_trained_on_are_left_out_row_by_row(report):
    assert report["text"]["goemotions_en"]["parts"] == ["dev"]
    assert report["text"]["goemotions_en"]["n"] == 3
    assert report["text"]["kote"]["n"] == 1
    notes = " ".join(report["notes"])
    assert "text/goemotions_en/train: 15 rows left out" in notes
    assert "text/kote/val: 2 rows left out" in notes


def test_texts_that_can_not_be_judged_are_said(report):
    assert "german" not in report["text"]
    assert "text/german/test: left out, the model does not know its language" in " ".join(
        report["notes"]
    )
    assert any("text/odd/test.tsv: skipped" in note for note in report["notes"])


def test_the_svm_is_fitted_on_training_speakers_only(report):
    assert "SVM: fitted on 8 clips of 1 training speakers" in report["notes"]
    assert report["corpora"]["ravdess"]["svm_uar"] is not None


def test_a_corpus_is_compared_with_its_own_svm_and_a_new_one_with_the_common(report):
    ravdess, emodb = report["corpora"]["ravdess"], report["corpora"]["emodb"]
    assert ravdess["svm_uar"] is not None
    assert emodb["svm_uar"] == emodb["svm_pooled_uar"]


def test_the_svm_can_be_kept_in_the_checkpoint(data, tmp_path, report):
    path = make_checkpoint(tmp_path / "tiny", trained_on=TRAINED)
    assert add_baselines(path, data)
    load_checkpoint(path)
    kept = evaluated(path, data, tmp_path / "kept.json")
    for corpus, figures in kept["corpora"].items():
        assert figures["svm_uar"] == report["corpora"][corpus]["svm_uar"]
        assert figures["svm_uar_personal"] == report["corpora"][corpus]["svm_uar_personal"]


def test_without_an_svm_its_figures_are_null(checkpoint, data, tmp_path):
    found = evaluated(checkpoint, data, tmp_path / "r.json")
    assert all(f["svm_uar"] is None for f in found["corpora"].values())
    assert any("--train-data" in note for note in found["notes"])


def test_it_is_seeded_and_a_cache_changes_nothing(checkpoint, data, tmp_path, report):
    cache = str(tmp_path / "cache")
    for name in ("first", "second"):
        more = ("--train-data", str(data), "--cache", cache)
        assert evaluated(checkpoint, data, tmp_path / name, *more) == report
    assert any((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("kept", ["speech", "text"])
def test_any_part_of_the_data_may_be_missing(checkpoint, data, tmp_path, kept):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / kept).symlink_to(data / kept)
    found = evaluated(checkpoint, tmp_path / "data", tmp_path / "r.json")
    assert bool(found["corpora"]) == (kept == "speech")
    assert bool(found["text"]) == (kept == "text")


def test_a_clip_that_cannot_be_read_is_counted(checkpoint, tmp_path, data):
    manifest = (data / "speech" / "manifest.csv").read_text(encoding="utf-8")
    (tmp_path / "speech").mkdir()
    for corpus in ROWS:
        (tmp_path / "speech" / corpus).symlink_to(data / "speech" / corpus)
    (tmp_path / "speech" / "broken.wav").write_bytes(b"RIFF")
    rows = "broken.wav,emodb,03,de,angry,x\ngone.wav,emodb,03,de,angry,x\n"
    (tmp_path / "speech" / "manifest.csv").write_text(manifest + rows, encoding="utf-8")
    found = evaluated(checkpoint, tmp_path, tmp_path / "r.json")
    assert found["corpora"]["emodb"]["n"] == 8
    assert "2 (the file can't be read)" in " ".join(found["corpora"]["emodb"]["notes"])


def test_tables_show_what_the_json_holds(checkpoint, data, capsys):
    assert main([str(checkpoint), "--data", str(data)]) == 0
    printed = capsys.readouterr().out
    for part in ("always the commonest class", "personal baseline", "60 s heard before", "recall"):
        assert part in printed
    assert "ko (emotiontts_ko)" in printed
    assert "1 speakers" in printed


@pytest.mark.parametrize("what", ["missing", "empty", "no columns"])
def test_data_without_anything_to_score_is_an_error(checkpoint, tmp_path, capsys, what):
    data = tmp_path / "data"
    if what != "missing":
        (data / "speech").mkdir(parents=True)
    if what == "no columns":
        (data / "speech" / "manifest.csv").write_text("path,corpus\nx,y\n")
    assert main([str(checkpoint), "--data", str(data)]) == 2
    assert str(data) in capsys.readouterr().err


def test_a_damaged_checkpoint_is_an_error(tmp_path, data, capsys):
    assert main([str(tmp_path), "--data", str(data)]) == 2
    assert "not a checkpoint" in capsys.readouterr().err


def test_batches_say_what_the_analyzer_says(checkpoint, data, processor):
    """The figures are those of the app: same chunks, same text, same logits."""
    clips = [c for c in read_clips(data) if c.corpus == "emotiontts_ko"][:5]
    judge = BatchJudge(load_checkpoint(checkpoint), "cpu")
    long = np.concatenate([read_samples(clips[0].path)] * 20)
    sounds = [*(read_samples(c.path) for c in clips), long]
    texts = [*(c.text for c in clips), "정말 기쁘다"]
    chunks = [judge.chunks(processor.measure(s)) for s in sounds]
    analyzer = load_analyzer(checkpoint, "cpu")
    calibration = load_checkpoint(checkpoint).calibration
    alone, fused = judge.speech(chunks), judge.fused(chunks, [processor.tokenize(t) for t in texts])
    for i, (sound, text) in enumerate(zip(sounds, texts, strict=True)):
        said = analyzer.final(Utterance(i, 0, sound.size, sound), Transcript(text, language="ko"))
        expected = calibration.probabilities(alone[i], "speech_raw")
        assert said.by_modality[Modality.SPEECH] == pytest.approx(expected, abs=1e-5)
        expected = calibration.probabilities(fused[i], "fused")
        assert said.probabilities == pytest.approx(expected, abs=1e-5)


def test_every_clip_is_judged_once_and_never_by_itself():
    seconds = np.random.default_rng(0).uniform(1, 5, 23).tolist()
    for budget in (10, 30, 60):
        hearings = plan_hearings(seconds, budget, seed=1)
        judged = np.concatenate([h.judged for h in hearings])
        assert sorted(judged.tolist()) == list(range(23))
        for hearing in hearings:
            assert not set(hearing.heard.tolist()) & set(hearing.judged.tolist())
            heard = sum(seconds[i] for i in hearing.heard)
            assert heard == pytest.approx(budget, abs=2.5) or heard < budget
    assert [len(h.heard) for h in plan_hearings([2.0], 10, seed=0)] == [0]


def test_seen_texts_are_known_in_any_spelling():
    seen = Seen.from_training({"trained_on": {"scripts": {"ko": ["정말, 기쁘다!"]}}})
    assert seen.script("ko", "정말 기쁘다")
    assert not seen.script("en", "정말 기쁘다")
    assert script_key("Don't  STOP.") == script_key("don’t stop")


def test_the_reason_for_no_text_is_found(data, checkpoint):
    loaded = load_checkpoint(checkpoint)
    clips = read_clips(data)
    reasons = {c: text_reason([x for x in clips if x.corpus == c], loaded) for c in ROWS}
    assert reasons["emotiontts_ko"] == ""
    assert "same texts" in reasons["ravdess"]
    assert "de" in reasons["emodb"]


def test_text_corpora_are_found_by_their_labels(data, processor):
    parts = {(p.corpus, p.part): p for p in read_text_parts(data, processor).parts}
    dev = parts["goemotions_en", "dev"]
    assert dev.texts[1] == 'why are you "angry'
    assert [list(np.flatnonzero(row)) for row in dev.targets] == [[1], [2, 4], [0]]
    kote = parts["kote", "val"]
    assert kote.texts[1] == '그는 "왜"\n라고 했다'
    assert [list(np.flatnonzero(row)) for row in kote.targets] == [[1, 3], [4], [1, 3]]
    assert parts["meld", "dev"].single
    assert parts["plain_en", "test"].targets.sum(axis=1).tolist() == [1, 1, 1]
    assert parts["plain_en", "test"].language == "en"


def test_label_ids_need_no_list_of_names(tmp_path, processor):
    sad = KOTE_NAMES.index("슬픔")
    for name, row in (
        ("kote", f"1\t아아\t{sad}"),
        ("goemotions_en", "so happy\t17"),
        ("x", "a\t99"),
    ):
        (tmp_path / "text" / name).mkdir(parents=True)
        (tmp_path / "text" / name / "test.tsv").write_text(row, encoding="utf-8")
    found = read_text_parts(tmp_path, processor)
    assert [list(np.flatnonzero(p.targets[0])) for p in found.parts] == [[1], [4]]
    assert found.notes == ["text/x/test.tsv: skipped: its label id 99 has no name."]


def test_the_names_of_kote_are_those_of_the_corpus(shared_data):
    assert read_labels(shared_data / "text" / "kote" / "labels.txt") == KOTE_NAMES


def test_measures_are_read_back_from_the_cache(data, processor, tmp_path):
    clip = read_clips(data)[0]
    first = Measurer(processor, tmp_path)(clip)
    second = Measurer(processor, tmp_path)(clip)
    assert np.array_equal(first.frames, second.frames)
    assert len(list(tmp_path.iterdir())) == 1

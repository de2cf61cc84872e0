"""The last stage: the trained parts become one checkpoint directory, judged, with a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.labels import EMOTIONS
from core.models.bimodal import BimodalConfig, BimodalModel
from core.models.calibration import Calibration
from core.models.calibration import Path as Way
from core.models.checkpoint import save_checkpoint, seal
from core.models.encoders.speech import SpeechEncoder
from core.models.encoders.text import TextEncoder
from core.models.manifest import CARD, METRICS
from core.models.processor import Processor
from core.models.specification import Specification
from core.models.tokenizer import TextTokenizer
from core.types import Modality
from training import config as configuration
from training import text as text_stage
from training.card import CardFacts, model_card
from training.data.spoken import read_split
from training.evaluation.baselines import add_baselines
from training.evaluation.report import as_json
from training.evaluation.run import EvaluationSettings, evaluate
from training.evaluation.seen import as_training
from training.fusion_artifacts import FusionArtifact, load_fusion
from training.speech_artifacts import load_speech_encoder
from training.stages import StageContext

CHECKPOINT = "checkpoint"
_UNJUDGED = "# A quick run\n\nTrained for seconds, to see that training works; never evaluated.\n"


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """The export stage; every key is explained in configs/embedded/export.yaml."""

    name: str = "embedded"
    version: str = "1"
    languages: tuple[str, ...] = ("en", "ko")


@dataclass(frozen=True)
class Parts:
    """What the stages before have left."""

    speech: SpeechEncoder
    processor: Processor
    text: TextEncoder
    tokenizer: TextTokenizer
    text_info: Mapping[str, Any]
    fusion: FusionArtifact
    split: Mapping[str, Sequence[str]]

    @classmethod
    def load(cls, context: StageContext) -> Parts:
        """Read the folders of the stages. Raises ConfigError or CheckpointError."""
        speech = context.folder_of("speech")
        encoder, processor = load_speech_encoder(speech)
        text, tokenizer, info = text_stage.load(context.folder_of("text"))
        fusion = load_fusion(context.folder_of("fusion"))
        return cls(encoder, processor, text, tokenizer, info, fusion, read_split(speech))

    def model(self, languages: tuple[str, ...]) -> BimodalModel:
        """Assemble the model."""
        modalities = (Modality.SPEECH, Modality.TEXT)
        specification = Specification(EMOTIONS, modalities, languages)
        config = BimodalConfig(self.speech.config, self.text.config, self.fusion.head.config)
        model = BimodalModel(specification, config)
        model.speech.load_state_dict(self.speech.state_dict())
        model.text.load_state_dict(self.text.state_dict())
        model.fusion.load_state_dict(self.fusion.head.state_dict())
        return model.eval()

    def calibration(self) -> Calibration:
        """Return temperatures and thresholds."""
        temperatures = {Way(k): value for k, value in self.fusion.temperatures.items()}
        return Calibration(temperatures, tuple(self.text_info["thresholds"]))

    def trained_on(self) -> dict[str, Any]:
        """Return what may never be scored."""
        scored = set(self.text_info["split"]["kote_scored_rows"])
        rows = self.text_info["split"]["kote_rows"]
        used = [row for row in range(rows) if row not in scored]
        texts: list[tuple[str, str, list[int] | None]] = [
            ("goemotions_en", "train", None),
            ("goemotions_ko", "train", None),
            ("kote", "val", used),
        ]
        train, calibration = self.split["train"], self.split["calibration"]
        return as_training(_by_corpus(train), _by_corpus(calibration), texts)


def run(config: ExportConfig, context: StageContext) -> None:
    """Write `checkpoint/` into the stage's folder and judge it on what it never saw."""
    folder = context.folder / CHECKPOINT
    parts = Parts.load(context)
    info = save_checkpoint(
        folder,
        parts.model(config.languages),
        Processor(
            replace(parts.processor.config, languages=config.languages),
            parts.processor.statistics,
            parts.tokenizer,
        ),
        name=config.name,
        version=config.version,
        architecture="bimodal",
        training={"recipe": _recipe(context), "trained_on": parts.trained_on()},
        metrics={},
        card=_UNJUDGED,
        calibration=parts.calibration(),
    )
    if not context.quick:
        cache = context.out / "measures"
        add_baselines(folder, context.data, cache)
        _judge(folder, parts, context, cache)
    context.reporter.say(f"checkpoint {info.digest[:12]} in {folder}")


def _judge(folder: Path, parts: Parts, context: StageContext, cache: Path) -> None:
    """Evaluate the checkpoint; write its metrics and its card."""
    settings = EvaluationSettings(folder, context.data, cache=cache, seed=context.seed)
    report = evaluate(settings, lambda what, done, total: None)
    folds = context.out / "speech" / "folds.json"
    metrics = {
        "held_out": as_json(report),
        "text": parts.text_info["metrics"],
        "calibration_speakers": parts.fusion.info["calibration_error"],
        "folds": json.loads(folds.read_text(encoding="utf-8")) if folds.is_file() else None,
    }
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    (folder / METRICS).write_text(text + "\n", encoding="utf-8")
    facts = CardFacts(parts.split, parts.fusion.info, metrics, report)
    (folder / CARD).write_text(model_card(facts), encoding="utf-8")
    seal(folder)


def _recipe(context: StageContext) -> dict[str, Any]:
    """Return the resolved configuration of the run, as `emoscope train` saved it."""
    path = context.out / "training.yaml"
    return configuration.read_yaml(path) if path.is_file() else {}


def _by_corpus(names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        corpus, _, speaker = name.partition("/")
        found.setdefault(corpus, []).append(speaker)
    return found

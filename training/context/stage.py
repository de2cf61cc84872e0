"""The stage `dialogue`: from a configuration to a calibrated dialogue checkpoint and its figures.

    emoscope train training/configs/dialogue/meld_text.yaml --data DIR --out DIR

corpora -> features, cached -> parts, by whole dialogues -> teachers -> model -> temperature -> the
test part, judged once -> `checkpoint/` and `predictions.csv` in the stage's folder.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core.models.context.base import DialogueModel
from core.models.context.checkpoint import save_dialogue_checkpoint
from core.models.manifest import CheckpointInfo
from training import config as configuration
from training import trained_on
from training.context.answers import answers
from training.context.card import dialogue_card
from training.context.config import ContextTraining, ModelChoice
from training.context.extra_speech import Voices, extra_speech
from training.context.facts import DialogueFacts, metrics_json
from training.context.features import dialogue_set, read_dialogues
from training.context.judged import JudgedDialogues, JudgedModel, judge, judge_nested
from training.context.parts import DialogueParts, parts_digest, split_parts
from training.context.stage_config import DialogueConfig
from training.context.teachers import TeacherChoice
from training.context.training import TrainedDialogue, build_model, train_dialogue, train_teachers
from training.context.utterance_features import UtteranceEncoder, load_utterance_encoder
from training.data.dialogues import DialogueSet
from training.data.example import Example
from training.data.feature_files.folder import read_features
from training.distributed import current, main_first
from training.evaluation.seen import as_training
from training.progress import Reporter
from training.stages import StageContext
from training.system_training import forget_state

CHECKPOINT, PREDICTIONS = "checkpoint", "predictions.csv"
_QUICK_EPOCHS, _QUICK_DIALOGUES = 2, 40


@dataclass(frozen=True)
class _Loaded:
    """Features of all dialogues, and where they come from.

    utterance: the checkpoint that made them, None for a folder of features; examples: by dialogue;
    voices: clips that gave turns of a text corpus a voice.
    """

    dialogues: DialogueSet
    examples: Mapping[str, tuple[Example, ...]]
    utterance: CheckpointInfo | None
    problems: int
    voices: tuple[Example, ...] = ()


@dataclass(frozen=True)
class _Finished:
    """A trained model with its weights as they are stored, and what it says."""

    trained: TrainedDialogue
    judged: JudgedDialogues
    temperature: float


def run(config: DialogueConfig, context: StageContext) -> str:
    """Train and write everything into the stage's folder; return the digest of its data."""
    started = time.monotonic()
    config = _quick(config) if context.quick else config
    with main_first():
        loaded = _load(config, context)
    parts = split_parts(loaded.dialogues, config.parts)
    digest = parts_digest(parts)
    for name, part in parts.described().items():
        context.reporter.say(f"{name}: {part['dialogues']} dialogues, {part['labelled']} turns")
    finished = _train(config, loaded, parts, context, digest)
    if current().is_main:
        facts = _facts(config, loaded, parts, digest, finished, time.monotonic() - started)
        _write(facts, context)
    return digest


def fingerprint(config: DialogueConfig, context: StageContext) -> str:
    """Return a digest of what `run` would train on: features, labels, speakers, parts."""
    config = _quick(config) if context.quick else config
    return parts_digest(split_parts(_load(config, context).dialogues, config.parts))


def _quick(config: DialogueConfig) -> DialogueConfig:
    trainer = config.training.trainer
    short = replace(trainer, epochs=min(trainer.epochs, _QUICK_EPOCHS))
    return replace(config, training=replace(config.training, trainer=short))


def _load(config: DialogueConfig, context: StageContext) -> _Loaded:
    source = config.source
    if source.folder:
        found = read_features(
            context.data / source.folder,
            dev_share=config.parts.validation, seed=config.parts.seed,
        )  # fmt: skip
        return _Loaded(_fewer(found) if context.quick else found, {}, None, 0)
    cache = context.out / source.cache if source.cache else None
    corpus = read_dialogues(source.corpora, context.data, context.reporter)
    if context.quick:
        corpus = replace(corpus, dialogues=corpus.dialogues[:: _every(len(corpus.dialogues))])
    encoder = load_utterance_encoder(source.utterance, cache, context.reporter)
    extra = _voices(config, context.data, encoder)
    found = dialogue_set(
        corpus, encoder, source.modalities, speakers=config.model.speakers, extra=extra
    )
    examples = {turns[0].dialogue: turns for turns in corpus.dialogues}
    voices = extra.examples if extra is not None else ()
    return _Loaded(found, examples, encoder.loaded.info, len(corpus.problems), voices)


def _voices(config: DialogueConfig, data: Path, encoder: UtteranceEncoder) -> Voices | None:
    wanted = config.source.extra_speech
    return None if wanted is None else extra_speech(wanted, data, encoder)


def _fewer(found: DialogueSet) -> DialogueSet:
    return replace(found, dialogues=found.dialogues[:: _every(len(found.dialogues))])


def _every(count: int) -> int:
    return max(1, count // (3 * _QUICK_DIALOGUES))


def _train(
    config: DialogueConfig,
    loaded: _Loaded,
    parts: DialogueParts,
    context: StageContext,
    digest: str,
) -> _Finished:
    training, folder = config.training, context.folder / "training"
    taught = train_teachers(
        training, config.model, parts.train, parts.validation,
        run_dir=folder, reporter=context.reporter, resume=context.resume, fingerprint=digest,
    )  # fmt: skip
    about: dict[str, Any] = {
        "languages": config.source.languages, "utterance_share": config.utterance_share,
    }  # fmt: skip
    if loaded.utterance is not None:
        about["utterance_name"] = loaded.utterance.name
    model = build_model(config.model, parts.train, training.trainer.seed, **about)
    trained = train_dialogue(
        training, model, parts.train, parts.validation, teachers=taught or None,
        run_dir=folder / "model", reporter=context.reporter, resume=context.resume,
        fingerprint=digest,
    )  # fmt: skip
    baselines = _baselines(config, parts, context, digest)
    if config.half:
        as_stored(model)
    chosen = answers(model, parts.validation, training.readings[0], numbering=training.speakers)
    return _Finished(
        trained,
        JudgedDialogues(
            judge(model, parts.test, training.readings, training.speakers),
            parts.commonest(),
            baselines,
            judge_nested(model, parts.test, training.readings, training.speakers),
        ),
        chosen.temperature(),
    )


def _baselines(
    config: DialogueConfig, parts: DialogueParts, context: StageContext, digest: str
) -> dict[str, JudgedModel]:
    """Train what the model is compared with, on the same dialogues in the same way."""
    plain = _without_extras(config.training)
    found = {}
    for name, options in config.baselines.items():
        context.reporter.say(f"baseline: {name}")
        choice = ModelChoice(name, options, config.model.window, config.model.speakers)
        model = build_model(choice, parts.train, plain.trainer.seed)
        train_dialogue(
            plain, model, parts.train, parts.validation, reporter=context.reporter,
            run_dir=context.folder / "training" / f"baseline_{name}", resume=context.resume,
            fingerprint=digest,
        )  # fmt: skip
        found[name] = judge(model, parts.test, plain.readings, plain.speakers)
    return found


def _without_extras(training: ContextTraining) -> ContextTraining:
    return replace(training, matryoshka=None, distillation=None, teachers=TeacherChoice())


@torch.no_grad()
def as_stored(model: DialogueModel) -> None:
    """Round weights to 16 bits in place, so that figures are those of the checkpoint."""
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(value.half())


def _facts(
    config: DialogueConfig,
    loaded: _Loaded,
    parts: DialogueParts,
    digest: str,
    finished: _Finished,
    seconds: float,
) -> DialogueFacts:
    return DialogueFacts(
        config=config,
        trained=finished.trained,
        judged=finished.judged,
        parts=parts.described(),
        digest=digest,
        temperature=finished.temperature,
        trained_on=_trained_on(loaded, parts),
        utterance="" if loaded.utterance is None else loaded.utterance.name,
        parameters=sum(p.numel() for p in finished.trained.model.parameters()),
        problems=loaded.problems,
        seconds=seconds,
    )


def _trained_on(loaded: _Loaded, parts: DialogueParts) -> dict[str, Any]:
    """Return the section of training.yaml: these dialogues, and what the features rest on."""
    if loaded.utterance is None:
        corpora = sorted({d.corpus for d in loaded.dialogues.dialogues})
        told = [f"the published features of {', '.join(corpora)}, train and validation part"]
        return as_training({}, {}, unknown=told)

    def examples(part: DialogueSet) -> list[Example]:
        return [example for d in part.dialogues for example in loaded.examples[d.id]]

    own = trained_on.of_examples(
        [*examples(parts.train), *loaded.voices], examples(parts.validation), examples(parts.test)
    )
    return trained_on.union((own, trained_on.of_checkpoint(loaded.utterance)))


def _write(facts: DialogueFacts, context: StageContext) -> None:
    config = facts.config
    info = save_dialogue_checkpoint(
        context.folder / CHECKPOINT,
        facts.trained.model,
        name=config.name,
        architecture=config.model.architecture,
        training={
            "config": configuration.to_mapping(config),
            "seed": config.training.trainer.seed,
            "split": {"digest": facts.digest, "parts": configuration.to_mapping(facts.parts)},
            "trained_on": dict(facts.trained_on),
        },
        metrics=metrics_json(facts),
        card=dialogue_card(facts),
        temperature=facts.temperature,
        half=config.half,
    )
    write_predictions(context.folder / PREDICTIONS, facts)
    for state in (context.folder / "training").glob("*"):
        forget_state(state)
    _say(facts, context.reporter)
    context.reporter.say(f"checkpoint {info.digest[:12]} in {context.folder / CHECKPOINT}")


def write_predictions(path: Path, facts: DialogueFacts) -> None:
    """Write what the model says of every test turn: truth, and probabilities of each reading."""
    answered = facts.judged.model.answers
    first = next(iter(answered.values()))
    probabilities = {r: said.probabilities(facts.temperature) for r, said in answered.items()}
    columns = [f"{reading}_{label}" for reading in answered for label in facts.classes]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["corpus", "dialogue", "utterance", "truth", *columns])
        for row, dialogue in enumerate(first.dialogue):
            truth = facts.classes[first.truth[row]] if first.labelled[row] else ""
            values = [f"{p:.7f}" for found in probabilities.values() for p in found[row]]
            of = (first.corpora[dialogue], first.ids[dialogue])
            writer.writerow([*of, first.utterances[row], truth, *values])


def _say(facts: DialogueFacts, reporter: Reporter) -> None:
    for corpus, reading, who, own, above in facts.judged.rows():
        beside = f"  model above by {above['f1_weighted']}" if above else ""
        reporter.say(
            f"test {corpus} {reading} {who}: weighted F1 {own['f1_weighted']},"
            f" accuracy {own['accuracy']}{beside}"
        )

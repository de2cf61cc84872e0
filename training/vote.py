"""Four trained checkpoints to one that averages their probabilities: the hybrid of RSA-CFN's paper.

Nothing is trained, so nothing is measured either: what the vote is worth says the test part of the
members' own split, if they all were trained with the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.models.calibration import UNTEMPERED, Calibration
from core.models.checkpoint import LoadedModel, load_checkpoint, read_training, save_checkpoint
from core.models.manifest import PROCESSOR, CheckpointInfo
from core.models.speech_text import ARCHITECTURE, SpeechTextModel
from core.models.systems.hybrid import VOTERS
from core.models.voting import soft_voting
from training import trained_on

_CARD = """\
# {name}

Averages the probabilities of four checkpoints (soft voting):

{members}

{encoders} Nothing was trained or measured here, and no temperature was fitted: its confidence may
mislead. Licence and limits are those of the members.
{splits}"""


def vote(folders: Sequence[Path], target: Path, *, name: str, half: bool = True) -> CheckpointInfo:
    """Write a checkpoint that lets others vote; one that lies at `target` is replaced.

    Args:
        folders: checkpoints of early, late and residual fusion and of RSA-CFN, in any order.
        target: where to write. name: shown to people.
        half: store weights in fp16.

    Raises:
        CheckpointError: one can't be read, a system is missing or there twice, or they differ in
            how they prepare what they are given or in what they say.
    """
    loaded = _by_system(folders)
    _check_processors(loaded)
    model = soft_voting({system: _model(one) for system, one in loaded.items()})
    training = {system: read_training(one.info) for system, one in loaded.items()}
    is_hybrid = isinstance(model, SpeechTextModel)
    return save_checkpoint(
        target,
        model,
        loaded[VOTERS[0]].processor,
        name=name,
        architecture=ARCHITECTURE if is_hybrid else "voting",
        training={
            "vote": training,
            "splits": sorted(_splits(training)),
            "trained_on": trained_on.union(
                trained_on.of_checkpoint(one.info) for one in loaded.values()
            ),
        },
        metrics={},
        calibration=Calibration(short_speech=UNTEMPERED),
        card=_card(name, loaded, training, shared=is_hybrid),
        half=half,
    )


def _by_system(folders: Sequence[Path]) -> dict[str, LoadedModel]:
    loaded: dict[str, LoadedModel] = {}
    for folder in folders:
        one = load_checkpoint(folder)
        system = _model(one).architecture.system
        if system in loaded:
            raise CheckpointError(
                f"{folder} and {loaded[system].info.path} are both {system}.",
                f"Give one checkpoint each of {', '.join(VOTERS)}.",
            )
        loaded[system] = one
    if missing := [system for system in VOTERS if system not in loaded]:
        raise CheckpointError(
            f"There is no checkpoint of {', '.join(missing)}.",
            f"Give one each of {', '.join(VOTERS)}.",
        )
    return loaded


def _model(loaded: LoadedModel) -> SpeechTextModel:
    if not isinstance(loaded.model, SpeechTextModel):
        raise CheckpointError(
            f"{loaded.info.path} is no system of speech and text that could vote.",
            f"Give one each of {', '.join(VOTERS)}.",
        )
    return loaded.model


def _check_processors(loaded: Mapping[str, LoadedModel]) -> None:
    """Raise CheckpointError unless all prepare speech and text alike, to the last file."""
    prepared = {}
    for one in loaded.values():
        files = one.info.files.items()
        prepared[one.info.path] = {n: d for n, d in files if n.startswith(f"{PROCESSOR}/")}
    first, *others = prepared
    for other in others:
        if prepared[other] != prepared[first]:
            raise CheckpointError(
                f"{first} and {other} prepare speech or text differently.",
                "Train all four with the same encoders and the same options for them.",
            )


def _splits(training: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the digests of the splits the members were trained with; "" where one says none."""
    return {str((values.get("split") or {}).get("digest", "")) for values in training.values()}


def _card(
    name: str,
    loaded: Mapping[str, LoadedModel],
    training: Mapping[str, Mapping[str, Any]],
    *,
    shared: bool,
) -> str:
    members = (f"- {s}: {loaded[s].info.name} {loaded[s].info.version}" for s in VOTERS)
    same = len(_splits(training)) == 1 and "" not in _splits(training)
    splits = "All four were trained on the same part of the same split."
    if not same:
        splits = (
            "The four were not trained on the same part of one split: what was the test part of"
            " one may have trained another, so no test part is left to judge them on."
        )
    encoders = "They share their encoders." if shared else "Each has its own encoders."
    return _CARD.format(name=name, members="\n".join(members), encoders=encoders, splits=splits)

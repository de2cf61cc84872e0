"""A loaded model where it runs: on which device, and what computes its encoders there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.models.manifest import CheckpointInfo
from core.pipeline.batching import MOST_ROWS
from core.types import ModelInfo, RuntimeInfo

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.inference import Inference

SWITCHED = "switched"
"""Detail of a fallback: torch computes the encoders while a checkpoint has just been changed."""

MakeInference: TypeAlias = "Callable[[LoadedModel], Inference]"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user asks for.

    device, runtime: see `core.pipeline.analyzer.load_analyzer`. cache: folder for what runtimes
    keep; None: that of the user. infer: makes the inference of a loaded model; None: as device and
    runtime say. exporting: see `load_analyzer`.
    """

    device: str = "auto"
    runtime: str = "auto"
    cache: Path | None = None
    infer: MakeInference | None = None
    exporting: Callable[[], None] | None = None


class FittedModel:
    """A verified model, its inference, and the runtimes of its encoders. Belongs to one thread.

    When the inference leaves the GPU, encoders are computed by torch until `refit` is called.
    """

    def __init__(self, loaded: LoadedModel, wishes: Wishes) -> None:
        self.loaded = loaded
        self._wishes = wishes
        self.inference: Inference = (wishes.infer or self._on_a_device)(loaded)
        self._runtimes: tuple[RuntimeInfo, ...] = ()
        self._fitted_for = ""
        self.fit()

    @classmethod
    def load(cls, info: CheckpointInfo, wishes: Wishes) -> FittedModel:
        """Load and verify a checkpoint. Raises CheckpointError, naming everything that is wrong."""
        import torch

        from core.cores import cores
        from core.models.checkpoint import load_checkpoint
        from core.pipeline.threads import threads_for

        torch.set_num_threads(1)
        loaded = load_checkpoint(info.path)
        torch.set_num_threads(threads_for(loaded.processor, cores()))
        return cls(loaded, wishes)

    @property
    def runtimes(self) -> tuple[RuntimeInfo, ...]:
        """What computes the pretrained encoders now."""
        if self.fits:
            return self._runtimes
        why = self._why_not_fitted
        return tuple(
            RuntimeInfo(info.modality, "torch", reason="fallback", detail=why)
            for info in self._runtimes
        )

    @property
    def fits(self) -> bool:
        """Whether the encoders are fitted for the device the model is on by now."""
        return self._fitted_for == self.inference.choice.device

    @property
    def _why_not_fitted(self) -> str:
        return self.inference.choice.reason if self._fitted_for else SWITCHED

    @property
    def batch_rows(self) -> int:
        """How many utterances at a time pay; 1: they are best given one by one."""
        personal = getattr(self.loaded.processor.config, "personal", False)
        alone = self.inference.on_host or personal or not self.inference.exact_in_batches
        return 1 if alone else MOST_ROWS

    def fit(self) -> None:
        """Let the encoders be computed by what suits the device and was asked for."""
        self._fit(self._wishes.runtime)

    def refit(self) -> None:
        """Fit in a second or two, since a session goes on meanwhile; torch stays if chosen."""
        from core.models.fitting import QUICK

        why = self._why_not_fitted
        if self._wishes.runtime == "torch":
            self._fit("torch")
            return
        self._fit(QUICK)
        self._runtimes = tuple(
            replace(info, reason="fallback", detail=info.detail or why) for info in self._runtimes
        )

    def switch(self, info: CheckpointInfo) -> None:
        """Become another adapter of the same base in place, as good as loaded anew.

        Until `refit`, torch computes the encoders. Nothing is changed where it raises.

        Raises:
            CheckpointError: see `core.models.adapters.switching.switch_checkpoint`.
        """
        from core.models.adapters.switching import switch_checkpoint
        from core.models.inference import Inference

        self.loaded = switch_checkpoint(self.loaded, info.path)
        choice = self.inference.choice
        make = self._wishes.infer or (lambda loaded: Inference(loaded.model, choice))
        self.inference = make(self.loaded)
        self._fitted_for = ""

    def described(self, info: ModelInfo) -> ModelInfo:
        """Return what is shown about the model, with device and runtimes."""
        choice = self.inference.choice
        return replace(
            info, device=choice.device, device_reason=choice.reason, runtimes=self.runtimes
        )

    def _fit(self, runtime: str) -> None:
        from core.cores import cores
        from core.models.fitting import on_cpu, on_gpu
        from core.pipeline.threads import threads_for

        if self.inference.on_host:
            threads = threads_for(self.loaded.processor, cores())
            wishes = self._wishes
            self._runtimes = on_cpu(self.loaded, runtime, threads, wishes.cache, wishes.exporting)
        else:
            self._runtimes = on_gpu(self.loaded.model, self.inference.choice, runtime)
        self._fitted_for = self.inference.choice.device

    def _on_a_device(self, loaded: LoadedModel) -> Inference:
        from core.models.device import choose_device
        from core.models.fitting import device_for, pretrained_of
        from core.models.inference import Inference

        if not pretrained_of(loaded.model):
            return Inference(loaded.model, choose_device(self._wishes.device))
        choice = device_for(loaded, self._wishes.device, self._wishes.runtime)
        return Inference(loaded.model, choice)

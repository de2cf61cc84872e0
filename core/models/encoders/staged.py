"""Encoders that something else than torch may compute, for as long as that has the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from torch import Tensor

from core.models.encoders.trainable import FreezableEncoder

StagesT = TypeVar("StagesT")


class StagedEncoder(FreezableEncoder, Generic[StagesT]):
    """An encoder with stages (see `core.models.runtimes.base`) in the place of torch.

    They hold copies of the weights on the CPU, so they are dropped when the weights train, are
    loaded anew, or change device or type; copies and pickles of the encoder are without.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stages: StagesT | None = None

    def run_on(self, stages: StagesT | None) -> None:
        """Compute by other means from now on, when nothing is padded or trained; None: by torch."""
        self._stages = stages

    @property
    def stages(self) -> StagesT | None:
        """Return what computes it in place of torch."""
        return self._stages

    @property
    def _in_use(self) -> StagesT | None:
        """Return the stages, but not in training."""
        return None if self.training else self._stages

    def train(self, mode: bool = True) -> StagedEncoder[StagesT]:
        """Switch to training mode, but for what is frozen."""
        if mode and not self.frozen:
            self._stages = None
        super().train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        before = self._whereabouts()
        applied = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self._whereabouts() != before:
            self._stages = None
        return applied

    def _load_from_state_dict(self, *given: Any) -> None:
        self._stages = None
        super()._load_from_state_dict(*given)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stages": None}

    def _whereabouts(self) -> set[tuple[Any, Any]]:
        return {(parameter.device, parameter.dtype) for parameter in self.parameters()}

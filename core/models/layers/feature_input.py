"""Features of one modality, in one layer of its encoder or in several, to the model's width."""

from __future__ import annotations

from torch import Tensor, nn

from core.models.context.specification import FeatureSize
from core.models.layers.masking import NORMS, zero_where_absent


class FeatureInput(nn.Module):
    """A normalisation per layer, the mean over layers, and a Linear.

    Args:
        size: of the features.
        dim: width of what comes out.
        norm: "layer", "batch" or "none".
    """

    def __init__(self, size: FeatureSize, dim: int, norm: str) -> None:
        super().__init__()
        self._size = size
        self.norm = NORMS[norm](size.layers, size.dim)
        self.project = nn.Linear(size.dim, dim)

    def forward(self, features: Tensor, valid: Tensor) -> Tensor:
        """Return (B, T, dim) of features (B, T, D) or (B, T, L, D); zeros where there are none.

        What lies where `valid` (B, T) is false may be anything, also not a number.

        Raises:
            ValueError: the features are of another size.
        """
        layered = features.unsqueeze(2) if features.ndim == 3 else features
        if layered.shape[2:] != (self._size.layers, self._size.dim):
            raise ValueError(
                f"features of {self._size.layers} layers of {self._size.dim} values were expected,"
                f" not of shape {tuple(features.shape)}"
            )
        layered = zero_where_absent(layered.to(self.project.weight.dtype), valid)
        normed = self.norm(layered, valid).mean(dim=2)  # (B, T, D)
        return zero_where_absent(self.project(normed), valid)

"""Losses by name: `make_loss(LossConfig(...), problem, class_weights(labels, kind))`."""

from training.losses.combined import EmotionLoss, make_loss
from training.losses.config import LossConfig
from training.losses.group import Group
from training.losses.weighting import class_weights

__all__ = ["EmotionLoss", "Group", "LossConfig", "class_weights", "make_loss"]

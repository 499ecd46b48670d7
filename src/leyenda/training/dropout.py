"""Another share of dropout than the checkpoint's own, for a run."""

from __future__ import annotations

import torch


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Let training drop this share everywhere; what is saved keeps the checkpoint's own settings.

    Args:
        model: changed in place.
        share: from 0, which switches dropout off, to less than 1.

    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.1))
    >>> set_dropout(model, 0.0)
    >>> model[1].p
    0.0
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        # Attention often holds its share as a number of its own.
        for name, value in vars(module).items():
            if "dropout" in name and isinstance(value, float):
                setattr(module, name, share)

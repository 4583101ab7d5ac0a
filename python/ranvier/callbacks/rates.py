"""The learning rates of an optimizer, and of the optimizers in one that holds several."""

from __future__ import annotations

from typing import Any


def with_rates(optimizer: Any) -> dict[str, Any]:
    """The optimizers that have a learning rate of their own, by what messages call it."""
    several = getattr(optimizer, "optimizers", None)
    if several is None:
        return {"learning rate": optimizer}
    return {f"{one.name} learning rate": one for one in several}


def log_rates(optimizer: Any, logs: dict[str, Any]) -> None:
    """Adds the learning rates to the logs: "learning_rate", or "learning_rate_<name>" of several."""
    several = getattr(optimizer, "optimizers", None)
    if several is None:
        logs["learning_rate"] = float(optimizer.learning_rate)
        return
    for one in several:
        logs[f"learning_rate_{one.name}"] = float(one.learning_rate)

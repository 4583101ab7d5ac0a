"""Optimizers: rules that change variables by gradients, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback
from ranvier.optimizers import schedules
from ranvier.optimizers.adadelta import Adadelta
from ranvier.optimizers.adafactor import Adafactor
from ranvier.optimizers.adagrad import Adagrad
from ranvier.optimizers.adam import Adam, AdamW
from ranvier.optimizers.adamax import Adamax
from ranvier.optimizers.ftrl import Ftrl
from ranvier.optimizers.lamb import Lamb
from ranvier.optimizers.lion import Lion
from ranvier.optimizers.loss_scale_optimizer import LossScaleOptimizer
from ranvier.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from ranvier.optimizers.muon import Muon
from ranvier.optimizers.nadam import Nadam
from ranvier.optimizers.optimizer import Optimizer
from ranvier.optimizers.rmsprop import RMSprop
from ranvier.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from ranvier.optimizers.sgd import SGD

# fmt: off
_ALL: tuple[type, ...] = (
    SGD, RMSprop, Adam, AdamW, Adadelta, Adafactor, Adagrad, Adamax, Nadam, Ftrl, Lion, Lamb,
    LossScaleOptimizer, MultiOptimizer, Muon, OptimizerMap, ScheduleFreeAdamW,
)
# fmt: on
_TABLE: dict[str, type] = {cls.__name__.lower(): cls for cls in _ALL}

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


@short_traceback
def get(identifier: Any) -> Any:
    """The optimizer that an identifier stands for.

    Args:
        identifier: None (returned), a name such as "adam" in any case, a config dict, a class (an
            instance is made), or an `Optimizer` (returned as it is).

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
        RuntimeError: for an optimizer whose constructor did not call that of its base class.
    """
    if isinstance(identifier, Optimizer):
        if "built" not in vars(identifier):
            raise RuntimeError(
                f"The `__init__()` of {type(identifier).__name__} must call `super().__init__()`, with a "
                "learning rate."
            )
        return identifier
    if isinstance(identifier, str) and identifier.lower() in _TABLE:
        identifier = identifier.lower()
    elif isinstance(identifier, Mapping) and str(identifier.get("class_name")).lower() in _TABLE:
        # Configs of Keras 2 give the name in lower case.
        identifier = {**identifier, "class_name": _TABLE[identifier["class_name"].lower()].__name__}
        return registry.deserialize_object(identifier, module_objects={cls.__name__: cls for cls in _ALL})
    elif not isinstance(identifier, (str, Mapping, type, type(None))):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier}")
    return identifiers.resolve("optimizer", identifier, _TABLE)


@short_traceback
def serialize(optimizer: Any) -> dict[str, Any]:
    """The config dict of an optimizer.

    Raises:
        TypeError: for an object without `get_config`.
    """
    return registry.serialize_object(optimizer)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` described.

    Args:
        config: a config dict or a name.
        custom_objects: name -> class, for optimizers and schedules that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)

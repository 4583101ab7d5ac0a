"""Random calls of the public interface with hostile arguments.

    python bench/attacks/calls.py --count 100000 --seed 1

Functions of `ops`, `random`, `activations`, `tree` and `utils`, and layers, losses, metrics, optimizers,
schedules, initializers, regularizers and constraints, which are made, and then called on arrays and
KerasTensors, differentiated, and taken through their configs.

What a call may end with is a result, or one of these:

- ValueError and TypeError, not those of NumPy (AxisError, UFuncTypeError), that say what was wrong;
- NotImplementedError, for what this version does not offer;
- MemoryError and OverflowError with a sentence of ours or NumPy's: a size, or an integer, that does not fit;
- ImportError that names a package to install;
- an exception that the function's own "Raises:" names: IndexError of `get_item` and `to_categorical`.

All else is a fault: KeyError, AttributeError, RecursionError, RuntimeError, an OverflowError of Python's own
("int too large to convert"), a MemoryError without words; an end of the process; no end; a refusal after
five seconds.
"""

from __future__ import annotations

import inspect
import random
import reprlib
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import victim
from hostile import Values

DOCUMENTED = (ValueError, TypeError, NotImplementedError, MemoryError, OverflowError, ImportError, IndexError)
STOCK = (
    "too large to convert",
    "too big to convert",
    "cannot convert float infinity",
    "Python integer",
    "out of bounds for",
)

# What reads or writes files or the network, waits, or changes the process.
SKIPPED = frozenset(
    "get_file load_img save_img model_to_dot plot_model set_random_seed clear_session legacy vectorize "
    "enable_traceback_filtering disable_traceback_filtering pack_x_y_sample_weight custom_gradient "
    "set_floatx set_epsilon set_image_data_format enable_interactive_logging "
    "disable_interactive_logging".split()
)
# Classes that are made but not driven: what they do with their arguments is another attack's.
_MADE_ONLY = frozenset(("PyDataset", "Sequence", "CustomObjectScope", "Progbar"))

_short = reprlib.Repr()
_short.maxother = _short.maxstring = 60
_short.maxlevel = 3


@dataclass(frozen=True)
class Target:
    """Something to call: its name, and how it is driven."""

    name: str
    function: Callable[..., Any]
    drive: Callable[[Any, Values, victim.Case], Any]
    weight: float = 1.0


# --- how things are driven ---


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        return []


def _arguments(
    function: Callable[..., Any], values: Values, share: float
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments for a function."""
    args: list[Any] = []
    named: dict[str, Any] = {}
    for p in _parameters(function):
        if p.kind is p.VAR_POSITIONAL:
            args += [values.argument("x", share) for _ in range(values.rng.randrange(3))]
        elif p.kind is p.VAR_KEYWORD:
            if values.rng.random() < 0.02:
                named[values.rng.choice(("nonsense", "dtype", "name", "trainable"))] = values.hostile()
        elif p.default is p.empty or p.name == "maximum_iterations" or values.rng.random() < 0.45:
            if p.kind is p.POSITIONAL_ONLY:
                args.append(values.argument(p.name, share))
            else:
                named[p.name] = values.argument(p.name, share)
    if args and named and any(p.kind is p.VAR_POSITIONAL for p in _parameters(function)):
        first = [p.name for p in _parameters(function) if p.kind is p.POSITIONAL_OR_KEYWORD]
        args = [*(named.pop(name, None) for name in first), *args]
    return args, named


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype}{value.shape}>"
    if isinstance(value, (list, tuple)) and len(value) < 5 and not any(isinstance(v, list) for v in value):
        return type(value).__name__ + "(" + ", ".join(map(_show, value)) + ")"
    try:
        return _short.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _shown(args: list[Any], named: dict[str, Any]) -> str:
    """The arguments of a call as they would be written."""
    return f"({', '.join([*map(_show, args), *(f'{name}={_show(value)}' for name, value in named.items())])})"


def _call(target: Target, values: Values, case: victim.Case, share: float = 0.3) -> Any:
    """Calls the target with arguments of its signature."""
    args, named = _arguments(target.function, values, share)
    case.note(f"{target.name}{_shown(args, named)}")
    return target.function(*args, **named)


def drive_function(target: Target, values: Values, case: victim.Case) -> Any:
    return _call(target, values, case)


def drive_made(target: Target, values: Values, case: victim.Case) -> Any:
    """Makes an object, or calls a function, and no more."""
    made = _call(target, values, case)
    if hasattr(made, "get_config") and values.rng.random() < 0.5:
        type(made).from_config(made.get_config())
    return made


def _then(case: victim.Case, text: str) -> None:
    case.note(f"{case.board.read()[2]}; then {text}")


def drive_layer(target: Target, values: Values, case: victim.Case) -> None:
    """Makes a layer; then builds it, calls it, differentiates it, or asks for its shapes."""
    import ranvier as rv

    layer = _call(target, values, case, share=0.12)
    if not isinstance(layer, rv.layers.Layer):
        return
    choice = values.rng.randrange(6)
    count = values.rng.choice((1, 1, 1, 2))
    data = [values.operand() if values.rng.random() < 0.8 else values.hostile() for _ in range(count)]
    inputs = data if len(data) > 1 else data[0]
    if choice == 0:
        _then(case, f"build({_show(values.shape)})")
        layer.build(values.shape if values.rng.random() < 0.6 else values.hostile())
    elif choice == 1:
        shape = values.argument("shape")
        _then(case, f"compute_output_shape({_show(shape)})")
        layer.compute_output_shape(shape)
    elif choice == 2:
        _then(case, "its config")
        type(layer).from_config(layer.get_config())
    elif choice == 3:
        _then(case, f"gradient at {_show(inputs)}")
        with rv.GradientTape() as tape:
            result = layer(inputs)
            total = rv.ops.sum((rv.tree.flatten(result) or [0.0])[0])
        tape.gradient(total, layer.trainable_variables)
    else:
        _then(case, f"call on {_show(inputs)}")
        layer(inputs)
        if values.rng.random() < 0.5:
            layer(inputs, training=values.rng.choice((True, False, None)))
            layer(inputs)


def drive_called(target: Target, values: Values, case: victim.Case) -> None:
    """Makes a loss, an initializer, a regularizer, a constraint or a schedule and calls it."""
    made = _call(target, values, case, share=0.12)
    if not callable(made):
        return
    args, named = _arguments(made, values, 0.2)
    _then(case, _shown(args, named))
    made(*args, **named)


def drive_metric(target: Target, values: Values, case: victim.Case) -> None:
    metric = _call(target, values, case, share=0.12)
    if not hasattr(metric, "update_state"):
        return
    for _ in range(values.rng.choice((1, 2))):
        args, named = _arguments(metric.update_state, values, 0.2)
        _then(case, f"update_state{_shown(args, named)}")
        metric.update_state(*args, **named)
    metric.result()
    metric.reset_state()


def drive_optimizer(target: Target, values: Values, case: victim.Case) -> None:
    import ranvier as rv

    optimizer = _call(target, values, case, share=0.1)
    if not hasattr(optimizer, "apply"):
        return
    variable = rv.Variable(np.ones(values.shape or (2,), "float32"))
    gradient = values.operand() if values.rng.random() < 0.6 else values.hostile()
    _then(case, f"apply([{_show(gradient)}], [{values.shape}])")
    optimizer.apply([gradient], [variable] if values.rng.random() < 0.8 else values.hostile())
    optimizer.apply([np.ones_like(variable.numpy())])
    type(optimizer).from_config(optimizer.get_config())


# --- what there is to call ---


def _public(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    for name in sorted(getattr(module, "__all__", None) or dir(module)):
        value = getattr(module, name, None)
        if not name.startswith("_") and name not in SKIPPED and callable(value):
            yield name, value


def targets() -> list[Target]:
    """All there is to call, in a fixed order."""
    import ranvier as rv

    found: list[Target] = []
    rooms: tuple[tuple[types.ModuleType, Callable[..., Any], float], ...] = (
        (rv.ops, drive_function, 2.0),
        (rv.random, drive_function, 2.0),
        (rv.activations, drive_function, 0.5),
        (rv.layers, drive_layer, 3.0),
        (rv.losses, drive_called, 1.0),
        (rv.metrics, drive_metric, 1.0),
        (rv.optimizers, drive_optimizer, 2.0),
        (rv.optimizers.schedules, drive_called, 1.0),
        (rv.initializers, drive_called, 1.0),
        (rv.regularizers, drive_called, 1.0),
        (rv.constraints, drive_called, 1.0),
        (rv.tree, drive_function, 1.0),
        (rv.utils, drive_made, 0.5),
        (rv.preprocessing.sequence, drive_made, 1.0),
    )
    for module, drive, weight in rooms:
        room = module.__name__.removeprefix("ranvier.")
        for name, value in _public(module):
            is_class = isinstance(value, type)
            if isinstance(value, type) and issubclass(value, BaseException):
                continue
            how = drive
            if not is_class and drive not in (drive_function, drive_made):
                how = drive_function
            if is_class and (drive is drive_function or name in _MADE_ONLY):
                how = drive_made
            found.append(Target(f"{room}.{name}", value, how, weight))
    found += [
        Target("Variable", rv.Variable, drive_made, 6.0),
        Target("KerasTensor", rv.KerasTensor, drive_made, 3.0),
        Target("Input", rv.Input, drive_made, 6.0),
        Target("Sequential", rv.Sequential, drive_made, 6.0),
        Target("Model", rv.Model, drive_made, 6.0),
    ]
    return found


# --- the attack ---


@dataclass
class State:
    """What the cases of a child share."""

    targets: list[Target]
    weights: list[float]
    tensor: Callable[..., Any]


def prepare() -> State:
    import ranvier as rv

    np.seterr(all="ignore")
    all_targets = targets()
    weights = [target.weight for target in all_targets]
    return State(all_targets, weights, lambda shape, dtype: rv.KerasTensor(shape, dtype=dtype))


def _check(error: BaseException, target: Target) -> None:
    """Raises a fault for an exception whose class is documented and whose words are not ours."""
    kind, text = type(error), str(error)
    is_numpys = kind.__module__.partition(".")[0] == "numpy" and not isinstance(error, MemoryError)
    wordless = isinstance(error, (MemoryError, OverflowError)) and (not text or any(w in text for w in STOCK))
    unnamed = isinstance(error, IndexError) and "IndexError:" not in (target.function.__doc__ or "")
    if is_numpys or wordless or unnamed:
        what = f"{kind.__name__}: {text[:200]!r}, {victim._place(error)}"
        raise victim.Fault(victim.UNDOCUMENTED, what) from error


def attack(state: State, case: victim.Case) -> None:
    """One call."""
    rng = random.Random(case.rng.getrandbits(64))
    np.random.seed(case.rng.getrandbits(32))
    target = rng.choices(state.targets, state.weights)[0]
    values = Values(rng, state.tensor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            target.drive(target, values, case)
        except DOCUMENTED as error:
            _check(error, target)
            raise next(kind for kind in DOCUMENTED if isinstance(error, kind))(str(error)) from error


ATTACK = victim.Attack("calls", prepare, attack, DOCUMENTED, batch=250)

if __name__ == "__main__":
    raise SystemExit(victim.main(ATTACK))

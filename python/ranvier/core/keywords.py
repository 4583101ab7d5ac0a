"""Keywords that a function or a constructor does not take: which ones were probably meant."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from ranvier.core.missing_names import nearest

_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r"'(\w+)'")
# Keywords of older versions of Keras that are not like today's.
_OLD = {
    "lr": "learning_rate",
    "nb_epoch": "epochs",
    "samples_per_epoch": "steps_per_epoch",
    "nb_val_samples": "validation_steps",
    "output_dim": "units",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "subsample": "strides",
    "bias": "use_bias",
    "p": "rate",
}


def suggest_keywords(unknown: Iterable[str], known: Iterable[str]) -> str:
    """Sentences that name the keyword meant by each unknown one, or all that there are; "" if there are none.

    It begins with a space.
    """
    names = [name for name in known if not name.startswith("_") and name != "self"]
    found = {name: _meant(name, names) for name in unknown}
    if not all(found.values()):
        return f" Known arguments: {', '.join(names)}." if names else ""
    if len(found) == 1:
        return f" Did you mean `{next(iter(found.values()))}`?"
    return " Did you mean " + ", ".join(f"`{near}` for `{name}`" for name, near in found.items()) + "?"


def _meant(unknown: str, names: list[str]) -> str | None:
    """The one of `names` that a keyword was probably meant to be."""
    return _OLD[unknown] if _OLD.get(unknown) in names else nearest(unknown, names)


def constructor_keywords(cls: type) -> list[str]:
    """The keywords that a class's constructor takes, and hands on to those of its bases."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            taken, hands_on = _parameters(vars(base)["__init__"])
            names |= dict.fromkeys(taken)
            if not hands_on:
                break
    return list(names)


@functools.lru_cache(maxsize=1024)
def _parameters(fn: Callable[..., Any]) -> tuple[tuple[str, ...], bool]:
    """The parameters of a function that may be given by name, and whether it takes any keyword."""
    parameters = inspect.signature(fn).parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return tuple(named), any(p.kind is p.VAR_KEYWORD for p in parameters)


def explain_call(error: BaseException, fn: Callable[..., Any], given: Iterable[str] = ()) -> None:
    """Makes more of the error of a call whose arguments do not fit `fn`: its public name, and a suggestion.

    Args:
        error: what the call raised; anything but a TypeError that came before `fn` began stays as it is.
        fn: what was called.
        given: the keywords that it was called with.
    """
    if type(error) is not TypeError or not str(error).startswith(f"{fn.__qualname__}() "):
        return
    import traceback  # needed only here, for a message

    began = inspect.unwrap(fn).__code__
    if any(frame.f_code is began for frame, _ in traceback.walk_tb(error.__traceback__)):
        return
    owner, _, name = fn.__qualname__.rpartition(".")
    public = owner if name == "__init__" else name
    text = str(error).replace(f"{fn.__qualname__}()", f"{public}()")
    unexpected = _UNEXPECTED.search(text)
    if unexpected:
        text = f"{text}.{suggest_keywords(unexpected.groups(), _parameters(fn)[0])}"
    elif "missing" in text:  # or misspelt, where a constructor hands on what it does not know
        meant = {key: near for key in given if (near := _meant(key, _MISSING.findall(text)))}
        text += "".join(f". Did you mean `{near}` for `{key}`?" for key, near in meant.items())
    error.args = (text,)

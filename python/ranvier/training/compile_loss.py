"""CompileLoss: the losses that a model was compiled with, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ranvier import losses, ops
from ranvier.core import arguments
from ranvier.core.scope import to_snake_case
from ranvier.core.trace import variables_allowed
from ranvier.core.user_code import harmless, retell, warn
from ranvier.losses import Loss, LossFunctionWrapper, regression
from ranvier.losses.loss import squeeze_or_expand_to_same_rank
from ranvier.metrics import Mean
from ranvier.training.structures import Path, at, is_container, items, like_outputs, only_item, rebuild

# Losses of one value for each class -> those of class numbers.
_ONE_HOT = {
    "categorical_crossentropy": "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy": "sparse_categorical_crossentropy",
    "kl_divergence": "sparse_categorical_crossentropy",
}
_BY_SHAPE = ("crossentropy", "ce")


class _Term(NamedTuple):
    """The loss of one output.

    Attributes:
        path: where the output stands among the outputs.
        loss: the loss.
        weight: its factor in the sum; None: 1.
        name: the output's name in logs.
    """

    path: Path
    loss: Loss
    weight: float | None
    name: str


class _Entry:
    """A loss as it was given.

    Attributes:
        loss: the loss; None where the shapes have to tell which.
        name: the name it was asked for by; None: it was an object or a function.
    """

    def __init__(self, loss: Loss | None, name: str | None) -> None:
        self.loss = loss
        self.name = name


class CompileLoss:
    """Turns targets and predictions into the scalar to minimize: the weighted sum of the outputs' losses.

    Args:
        loss: a loss, a name, or a function of `(y_true, y_pred)`, for every output; or a nest of such (and
            of None, for outputs without a loss) like the outputs; a dict may go by the outputs' names.
        loss_weights: a factor, or a nest of factors like the losses; None: 1.

    Attributes:
        metrics: the means of the outputs' losses, where there are several.
        outputs_seen: whether some outputs were looked at for what the loss cannot take, see `Look`.

    Raises:
        ValueError: for an unknown name, or weights that are no numbers.
    """

    def __init__(self, loss: Any, loss_weights: Any = None) -> None:
        self.loss = loss
        self.loss_weights = loss_weights = arguments.plain(loss_weights)
        self._entries = _entries(loss)
        for _, weight in items(loss_weights):
            if weight is not None and not isinstance(weight, (int, float)):
                raise ValueError(
                    "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, "
                    f"or dict. Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
                )
        self._terms: list[_Term] | None = None
        self._names: Sequence[str] | None = None
        self._outputs: Any = None  # the nest of the outputs, with None for each
        self.metrics: list[Mean] = []
        self.outputs_seen = False
        self._spread_told = False

    # --- which loss is for which output ---

    @property
    def built(self) -> bool:
        """Whether it is known which loss is for which output."""
        return self._terms is not None

    def build(self, y_true: Any, y_pred: Any, output_names: Sequence[str] | None = None) -> None:
        """Finds the loss of each output.

        Args:
            y_true: the targets, or anything of their shapes.
            y_pred: the outputs, likewise.
            output_names: the outputs' names; None: they have none.

        Raises:
            ValueError: if the losses or their weights do not fit the outputs, or a target is missing.
            KeyError: if there is a loss for an output that does not exist, or a dict of weights has other
                keys than the losses.
        """
        self._names = output_names
        self._outputs = rebuild(y_pred, lambda path: None)
        chosen = self._choose(y_pred)
        weights = self._weights(y_pred, [path for path, _ in chosen])
        y_true = like_outputs("y", y_true, y_pred, output_names, [path for path, _ in chosen])
        terms = []
        for (path, entry), weight in zip(chosen, weights, strict=True):
            target, output = at(y_true, path), at(y_pred, path)
            if target is None:
                name = self._term_name(y_pred, path, _describe(path))
                raise ValueError(f"Output '{name}' has a loss, but there is no target for it in `y`.")
            loss = entry.loss or losses.crossentropy_by_shape(target.shape, output.shape)
            terms.append(_Term(path, loss, weight, self._term_name(y_pred, path, entry.name or loss.name)))
        with variables_allowed():
            several = terms if len(terms) > 1 else []
            self.metrics = [Mean(name=f"{term.name}_loss") for term in several]
        self._terms = terms

    def check(self, y_pred: Any, output_names: Sequence[str] | None) -> None:
        """Checks that losses and weights fit outputs of this structure, as `build` does."""
        self._names = output_names
        self._weights(y_pred, [path for path, _ in self._choose(y_pred)])

    def _choose(self, y_pred: Any) -> list[tuple[Path, _Entry]]:
        """(path of the output, a loss that was given for it)."""
        given = self._entries
        paths = [path for path, _ in items(y_pred)]
        if not is_container(given):
            return [(path, given) for path in paths]
        if not is_container(y_pred):
            return [((), only_item("loss", given, self._names))]
        if isinstance(given, Mapping) and not isinstance(y_pred, Mapping):
            expected = list(self._names or range(len(y_pred)))
            if set(given) != set(expected):
                raise ValueError(
                    f"Expected keys {expected} in loss dict, but found loss.keys()={list(given)}"
                )
            given = [given[name] for name in expected]
        elif _is_flat(given) and len(given) == len(paths):
            return [(path, entry) for path, entry in zip(paths, given, strict=True) if entry is not None]
        elif isinstance(y_pred, Mapping) and not isinstance(given, Mapping):
            keys: list[Any] = sorted(y_pred, key=str)
            if len(given) != len(keys):
                raise ValueError(f"`loss` holds {len(given)} items, but the model's outputs are {keys}.")
            given = dict(zip(keys, given, strict=True))
        chosen: list[tuple[Path, _Entry]] = []
        for path, entry in items(given, in_order=True):
            if entry is None:
                continue
            if path[:-1] in paths and isinstance(path[-1], int):  # one of several losses of an output
                path = path[:-1]
            output = at(y_pred, path)
            if output is None:
                raise KeyError(
                    f"There is a loss for {_describe(path)}, but no such output of the model. Its outputs "
                    f"are {', '.join(map(_describe, paths))}."
                )
            chosen += [((*path, *rest), entry) for rest, _ in items(output)]
        return chosen

    def _weights(self, y_pred: Any, paths: list[Path]) -> list[float | None]:
        """The factor of each loss."""
        given = self.loss_weights
        if given is None or not is_container(given):
            return [given] * len(paths)
        flat = [weight for _, weight in items(given)]
        expected = sum(1 for _ in items(self.loss))
        if len(flat) != expected:
            raise ValueError(
                f"`loss_weights` must match the number of losses, got {expected} losses and {len(flat)} "
                "weights."
            )
        if expected == 1:
            return flat * len(paths)
        outputs = [path for path, _ in items(y_pred)]
        if _is_flat(given) and len(given) == len(outputs):
            weight_of = dict(zip(outputs, given, strict=True))
            return [weight_of[path] for path in paths]
        if isinstance(given, Mapping):
            keys = list(y_pred if isinstance(y_pred, Mapping) else self._names or ())
            if keys and set(given) != set(keys):
                raise KeyError(
                    f"`loss_weights` has the keys {list(given)}; expected are those of the losses, {keys}."
                )
        nested = like_outputs("loss_weights", given, y_pred, self._names)
        found, seen = [], Counter[Path]()
        for path in paths:
            weight = at(nested, path)
            found.append(at(weight, (seen[path],)) if is_container(weight) else weight)
            seen[path] += 1
        return found

    def _term_name(self, y_pred: Any, path: Path, loss_name: str) -> str:
        """The name of an output: its dict key, else the name of the layer that makes it, else the loss's."""
        if not path:
            return "output"
        position = [p for p, _ in items(y_pred)].index(path)
        if isinstance(at(y_pred, path[:-1]), Mapping):
            last = str(path[-1])
        elif self._names is not None:
            last = self._names[position]
        else:
            last = loss_name
        return "/".join([*map(str, path[:-1]), last])

    # --- the loss ---

    def class_number_targets(self, y_true: Any) -> list[Any]:
        """The target arrays that hold class numbers. Losses that shapes decide are known after `build`."""
        return self._targets(y_true, _takes_classes)

    def binary_targets(self, y_true: Any) -> list[Any]:
        """The target arrays that hold labels of a binary crossentropy, likewise."""
        return self._targets(y_true, _is_binary)

    def takes_probabilities(self) -> bool:
        """Whether there is one output, and its loss is a binary crossentropy that is given probabilities."""
        terms = self._terms or ()
        return len(terms) == 1 and _is_binary(terms[0].loss) and not _from_logits(terms[0].loss)

    def _targets(self, y_true: Any, of: Callable[[Loss], bool]) -> list[Any]:
        """The target arrays of some losses."""
        if self._terms is None:
            wanted = [entry.loss for _, entry in items(self._entries) if entry and entry.loss]
            return [y for _, y in items(y_true)] if len(wanted) == 1 and of(wanted[0]) else []
        paths = [term.path for term in self._terms if of(term.loss)]
        if not paths:
            return []
        targets = [y for _, y in items(y_true)]
        if len(self._terms) == len(targets) == 1:
            return targets if paths else []
        arranged = like_outputs("y", y_true, self._outputs, self._names, [term.path for term in self._terms])
        found = [at(arranged, path) for path in paths]
        return [y for y in found if y is not None]

    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        output: str = "the model's output",
        output_names: Sequence[str] | None = None,
    ) -> Any:
        """The loss of a batch.

        Args:
            y_true: the targets.
            y_pred: the predictions.
            sample_weight: the samples' weights: one tensor for all outputs, or a nest; or None.
            output: what a single `y_pred` is, for messages.
            output_names: the outputs' names; None: they have none.

        Returns:
            A rank-0 value; None if no output has a loss.

        Raises:
            ValueError: if targets are missing, if shapes do not fit, or if a loss is not a scalar.
            KeyError: if there is a loss for an output that does not exist.
        """
        if y_true is None:
            raise ValueError(
                "The model was compiled with a loss, so it needs targets: argument `y` is missing."
            )
        if self._terms is None:
            self.build(y_true, y_pred, output_names)
        assert self._terms is not None
        y_true = like_outputs("y", y_true, y_pred, self._names, [term.path for term in self._terms])
        weighted = is_container(sample_weight)
        if weighted:
            sample_weight = like_outputs("sample_weight", sample_weight, y_pred, self._names)
        total = None
        for i, term in enumerate(self._terms):
            what = output if not term.path else f"output '{term.name}'"
            weights = at(sample_weight, term.path) if weighted else sample_weight
            value = self._value(term, at(y_true, term.path), at(y_pred, term.path), weights, what)
            if self.metrics:
                batch = float(at(y_pred, term.path).shape[0])
                self.metrics[i].update_state(value, sample_weight=batch)
            value = value if term.weight is None else ops.multiply(value, term.weight)
            total = value if total is None else ops.add(total, value)
        return total

    def _value(self, term: _Term, y_true: Any, y_pred: Any, sample_weight: Any, output: str) -> Any:
        try:
            value = term.loss(y_true, y_pred, sample_weight)
        except ValueError as error:
            _say_of_what(error, term.loss, y_true, y_pred, sample_weight, output)
            raise
        if not self._spread_told and _is_spread(term.loss, y_true, y_pred):
            self._spread_told = True
            y_shape, shape = tuple(y_true.shape), tuple(y_pred.shape)
            warn(
                f"Loss '{term.loss.name}' compares targets `y` of shape {y_shape} with {output} of shape "
                f"{shape}: they are repeated until they fit, so that numbers of other samples or units meet."
                f"{_advice(term.loss, y_shape, shape)}"
            )
        if tuple(value.shape) != ():
            raise ValueError(
                f"The loss must be a scalar, but {term.loss!r} gave the shape {tuple(value.shape)}. Use "
                "a `reduction` such as 'sum_over_batch_size', or a function that returns one value per "
                "sample."
            )
        return value


def _takes_classes(loss: Loss) -> bool:
    return getattr(getattr(loss, "fn", None), "_class_numbers", False)


def _is_binary(loss: Loss) -> bool:
    fn = getattr(loss, "fn", None)
    return fn is losses.binary_crossentropy or fn is losses.binary_focal_crossentropy


def _is_spread(loss: Loss, y_true: Any, y_pred: Any) -> bool:
    """Whether a loss of differences is given targets and outputs that only broadcasting makes fit."""
    if getattr(getattr(loss, "fn", None), "__module__", None) != regression.__name__:
        return False
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return tuple(y_true.shape) != tuple(y_pred.shape)


def _from_logits(loss: Loss) -> bool:
    return bool(getattr(loss, "_fn_kwargs", {}).get("from_logits", False))


def _is_flat(given: Any) -> bool:
    """Whether a value is a list or tuple that holds no other containers."""
    return isinstance(given, (list, tuple)) and not any(map(is_container, given))


def _describe(path: Path) -> str:
    return f"`{'/'.join(map(str, path))}`" if path else "the model's output"


@harmless
def _say_of_what(
    error: ValueError, loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any, output: str
) -> None:
    """Says what a loss was given that refuses its arguments."""
    y_shape, shape = tuple(y_true.shape), tuple(y_pred.shape)
    weights = "" if sample_weight is None else f", `sample_weight` has shape {tuple(sample_weight.shape)}"
    reason = str(error)
    text = (
        f"Loss '{loss.name}' cannot be computed: the targets `y` have shape {y_shape}, {output} has shape "
        f"{shape}{weights}. {reason}"
    )
    retell(error, f"{text}{'' if reason.endswith('.') else '.'}{_advice(loss, y_shape, shape)}")


def _advice(loss: Loss, y_shape: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """What to do about targets and outputs that do not fit, behind a space; "" if that is not known."""
    numbered = y_shape in (shape[:-1], (*shape[:-1], 1))
    if _takes_classes(loss) and y_shape == shape:
        return (
            " This loss takes one class number for each sample; for targets with one value for each "
            "class (one-hot) use 'categorical_crossentropy'."
        )
    if loss.name in _ONE_HOT and shape[-1:] > (1,) and numbered:
        return (
            " This loss takes one value for each class (one-hot, as `utils.to_categorical` makes them); for "
            f"class numbers (0, 1, 2, ...) use '{_ONE_HOT[loss.name]}'."
        )
    if len(shape) > max(len(y_shape), 2):
        return (
            " The output has axes that the targets do not have: put `layers.Flatten()` or "
            "`layers.GlobalAveragePooling1D()` before the last layers, or `return_sequences=False` into a "
            "recurrent one."
        )
    if shape[-1:] == (1,) and y_shape[-1:] > (1,) and len(y_shape) == len(shape):
        return f" For targets with {y_shape[-1]} values make the last layer one of {y_shape[-1]} units."
    return ""


def _entries(given: Any) -> Any:
    """The nest of losses that were asked for, with an `_Entry` or None for each."""
    if is_container(given):
        if isinstance(given, Mapping):
            return {key: _entries(item) for key, item in given.items()}
        return [_entries(item) for item in given]
    if given is None:
        return None
    name = given if isinstance(given, str) else None
    if name is not None and name.lower() in _BY_SHAPE:
        return _Entry(None, name)
    loss = losses.get(given)
    if not isinstance(loss, Loss):
        loss = LossFunctionWrapper(loss, name=to_snake_case(getattr(loss, "__name__", type(loss).__name__)))
    return _Entry(loss, name)

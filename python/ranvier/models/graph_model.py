"""The functional side of models: inputs, outputs and the graph between them."""

from __future__ import annotations

import inspect
from typing import Any

from ranvier import ops
from ranvier.core import tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.masks import get_mask, masked, set_mask
from ranvier.core.operation import Node, producer
from ranvier.core.user_code import warn
from ranvier.layers import InputLayer, Layer
from ranvier.layers.input_spec import shape_hint
from ranvier.models.graph import Graph, Place
from ranvier.training.trainer import Trainer


def is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a model's constructor was given inputs and outputs."""
    return len(args) + sum(name in kwargs for name in ("inputs", "outputs")) >= 2


def squeeze_or_expand(x: Any, rank: int) -> Any:
    """x with a last axis of size 1 more or less, where that gives it the rank that is wanted."""
    shape = tuple(x.shape)
    if len(shape) == rank + 1 and shape[-1] == 1:
        return ops.squeeze(x, axis=-1)
    return ops.expand_dims(x, axis=-1) if len(shape) == rank - 1 else x


def cast_input(x: Any, fitted: Any, dtype: str | None) -> Any:
    """`fitted`, which was made from x, in a dtype (None: its own) and with x's mask."""
    if isinstance(fitted, KerasTensor):
        return fitted
    if dtype is not None and fitted.dtype != dtype:
        fitted = ops.cast(fitted, dtype)
    if fitted is not x and get_mask(x) is not None:
        set_mask(fitted, get_mask(x))
    return fitted


def fits(shape: Any, expected: Any) -> bool:
    """Whether a shape has the expected sizes, as far as both are known."""
    if len(shape) != len(expected):
        return False
    return all(a is None or b is None or a == b for a, b in zip(shape, expected, strict=True))


def handed_down(layers: list[Layer]) -> frozenset[str]:
    """The arguments that a model of these layers takes for them."""
    return frozenset().union(*(layer._rv_call_context_args for layer in layers))


def known_part(given: Any, expected: Any) -> Any:
    """A nest without the keys of dicts that are not in the expected one: itself if there are none."""
    if not isinstance(given, dict) or not isinstance(expected, dict):
        return given
    known = {key: known_part(value, expected[key]) for key, value in given.items() if key in expected}
    same = len(known) == len(given) and all(known[key] is given[key] for key in known)
    return given if same else known


class GraphModel(Trainer):
    """A trainer that may have been made from symbolic inputs and outputs."""

    _rv_untracked = Trainer._rv_untracked | {
        "_rv_graph",
        "_rv_inputs_struct",
        "_rv_outputs_struct",
        "_rv_input_keys",
        "_rv_keys_in_order",
    }
    _rv_graph: Graph | None = None
    _rv_holds_layers_only = True

    def _rv_set_graph(self, inputs: Any, outputs: Any) -> None:
        """Makes the model the computation from `inputs` to `outputs`."""
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            if not tree.flatten(structure):
                raise ValueError(f"`{what}` cannot be empty. Received: {what}={structure}")
            for x in tree.flatten(structure):
                if not isinstance(x, KerasTensor):
                    raise ValueError(
                        f"All `{what}` values must be KerasTensors, as `Input(...)` returns them and layers "
                        f"that are called on them. {_not_symbolic(x)}"
                    )
        inputs, outputs = _begin_with_inputs(inputs, outputs)
        self._rv_inputs_struct, self._rv_outputs_struct = inputs, outputs
        self._rv_graph = Graph(tree.flatten(inputs), tree.flatten(outputs))
        names = [operation.name for operation in self._rv_graph.operations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"The name {twice[0]!r} is used by several layers of the model; names must be unique."
            )
        for operation in self._rv_graph.operations:
            if isinstance(operation, Layer):
                self._rv_tracker.track(operation)
        in_order = [operation for operation in self._rv_graph.operations if isinstance(operation, Layer)]
        rest = [layer for layer in self._rv_layers if all(layer is not other for other in in_order)]
        self._rv_layers[:] = [*in_order, *rest]
        self._rv_call_context_args = handed_down(in_order)
        is_flat_dict = isinstance(inputs, dict) and not any(map(tree.is_nested, inputs.values()))
        self._rv_input_keys = sorted(inputs) if is_flat_dict else None
        self._rv_keys_in_order = isinstance(inputs, dict) and [*inputs] == sorted(inputs)
        self.built = True
        self._rv_build_shapes = {"input_shape": tree.map_structure(lambda x: x.shape, inputs)}

    # --- what it is made of ---

    def _rv_functional(self, what: str) -> Graph:
        if self._rv_graph is None:
            raise AttributeError(
                f"Model '{self.name}' has no `{what}`: it was not made from symbolic inputs and outputs."
            )
        return self._rv_graph

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat.

        Raises:
            AttributeError: if the model was not made from inputs and outputs. So do the properties below.
        """
        return list(self._rv_functional("inputs").inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return list(self._rv_functional("outputs").outputs)

    @property
    def input(self) -> Any:
        """The symbolic input, or the nest of inputs."""
        self._rv_functional("input")
        return self._rv_inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic output, or the nest of outputs."""
        self._rv_functional("output")
        return self._rv_outputs_struct

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or the shapes of `inputs` where there are several."""
        shapes = [x.shape for x in self._rv_functional("input_shape").inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or the shapes of `outputs` where there are several."""
        shapes = [x.shape for x in self._rv_functional("output_shape").outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs' layers."""
        return [x._keras_history.operation.name for x in self.inputs if x._keras_history is not None]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        return [x._keras_history.operation.name for x in self.outputs if x._keras_history is not None]

    @property
    def operations(self) -> list[Any]:
        """The layers and other operations, those farthest from the outputs first."""
        return list(self._rv_functional("operations").operations)

    def _rv_known_outputs(self) -> Any:
        return None if self._rv_graph is None else self._rv_outputs_struct

    def _rv_output_names(self) -> list[str] | None:
        return None if self._rv_graph is None else self.output_names

    # --- calling ---

    def _rv_build_on(self, feed: Any) -> None:
        # A model without a `call` has steps of its own, which build its parts when they call them.
        if type(self).call is not GraphModel.call:
            super()._rv_build_on(feed)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Hands the inputs through the graph.

        Args:
            inputs: tensors, in the structure of the model's inputs; a dict may also go by the inputs' names.
            training: handed to the layers that ask for it.
            mask: the inputs' masks, in the same structure, or None.

        Raises:
            ValueError: if an input is missing or does not fit.
        """
        if self._rv_graph is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method implemented."
            )
        del training  # the layers inside find it themselves
        values = self._rv_arrange(inputs)
        if mask is not None:
            pairs = zip(values, tree.flatten(mask), strict=True)
            values = [x if m is None else masked(x, m) for x, m in pairs]
        values = [self._rv_fit(i, x) for i, x in enumerate(values)]
        return self._rv_pack(self._rv_graph.run(values))

    def _rv_pack(self, outputs: list[Any]) -> Any:
        if isinstance(self._rv_outputs_struct, KerasTensor):
            return outputs[0]
        return tree.pack_sequence_as(self._rv_outputs_struct, outputs)

    def _rv_arrange(self, inputs: Any) -> list[Any]:
        """The inputs in the order of `self.inputs`."""
        flat_dict = isinstance(inputs, dict) and not any(map(tree.is_nested, inputs.values()))
        if flat_dict:
            keys = self._rv_input_keys or self.input_names
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise ValueError(
                    f"Model '{self.name}' expects inputs with the keys {keys}, but {missing} are missing. "
                    f"Received a dict with the keys {list(inputs)}."
                )
            if len(inputs) > len(keys):
                self._rv_tell_of_extra(inputs, keys)
            values = [inputs[key] for key in keys]
        else:
            known = known_part(inputs, self._rv_inputs_struct)
            self._rv_check_nest(known)
            if known is not inputs:
                self._rv_tell_of_extra(inputs, list(self._rv_inputs_struct))
            values = tree.flatten(known)
        expected = len(self._rv_functional("inputs").inputs)
        if len(values) != expected:
            raise ValueError(
                f'Layer "{self.name}" expects {expected} input(s) ({", ".join(self.input_names)}), but it '
                f"received {len(values)} input tensors."
            )
        return values

    def _rv_tell_of_extra(self, inputs: dict[Any, Any], expected: list[Any]) -> None:
        warn(
            f"The inputs of model '{self.name}' hold more than it takes, which is ignored. Expected: a dict "
            f"with the keys {expected}. Received the keys {list(inputs)}."
        )

    def _rv_check_nest(self, inputs: Any) -> None:
        """Refuses a nest in which it is not plain which input is which."""
        expected = self._rv_inputs_struct
        if isinstance(inputs, dict):
            fitting = {path for path, _ in tree.flatten_with_path(inputs)} == {
                path for path, _ in tree.flatten_with_path(expected)
            }
        else:  # a list for a dict is in the order of its keys, if that is also the order they were given in
            fitting = not isinstance(expected, dict) or not tree.is_nested(inputs) or self._rv_keys_in_order
        if not fitting:
            names = iter(self.input_names)
            wanted = tree.pack_sequence_as(expected, list(names))
            received = tree.map_structure(lambda x: tuple(x.shape) if hasattr(x, "shape") else x, inputs)
            raise ValueError(
                f"The structure of the inputs is not that of model '{self.name}'. Expected (by names): "
                f"{wanted}. Received (shapes): {received}"
            )

    def _rv_fit(self, index: int, x: Any) -> Any:
        """An input in the rank and dtype of the symbolic one."""
        entry = self._rv_functional("inputs").inputs[index]
        if x is None:
            node = producer(entry)
            if not getattr(node and node.operation, "optional", False):
                raise ValueError(
                    f'Input {index} ("{self.input_names[index]}") of layer "{self.name}" is not optional, '
                    "but None was passed."
                )
            return x
        fitted = squeeze_or_expand(x, len(entry.shape))
        if not fits(tuple(fitted.shape), entry.shape):
            raise ValueError(
                f'Input {index} ("{self.input_names[index]}") of layer "{self.name}" is incompatible with '
                f"the layer: expected shape={entry.shape}, found shape={tuple(x.shape)}."
                f"{shape_hint(tuple(x.shape), entry.shape)}"
            )
        return cast_input(x, fitted, entry.dtype)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._rv_graph is None:
            own = type(self).compute_output_shape is not GraphModel.compute_output_shape
            infer = super().compute_output_spec if own else self._rv_infer
            return infer(inputs, *args, **kwargs)
        values = [self._rv_fit(i, x) for i, x in enumerate(self._rv_arrange(inputs))]
        if all(x is not None and x.shape == own.shape for x, own in zip(values, self.inputs, strict=True)):
            return tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype), self._rv_outputs_struct)

        def spec(operation: Any, *args: Any, **kwargs: Any) -> Any:
            return operation.compute_output_spec(*args, **kwargs)

        return self._rv_pack(self._rv_graph.run(values, spec))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape (or the nest of shapes) for inputs of the given shape or shapes."""
        if self._rv_graph is None:
            return super().compute_output_shape(input_shape)
        shapes = _shape_list(input_shape)
        specs = [KerasTensor(s, x.dtype) for s, x in zip(shapes, self.inputs, strict=True)]
        outputs = self.compute_output_spec(tree.pack_sequence_as(self._rv_inputs_struct, specs))
        return tree.map_structure(lambda x: x.shape, outputs)

    def _rv_has_build(self) -> bool:
        return type(self).build is not GraphModel.build

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights; a functional model has them already.

        Args:
            input_shape: the input's shape or a nest of shapes.
        """
        if self._rv_graph is None:
            super().build(input_shape)

    # --- copies ---

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        graph = state.pop("_rv_graph", None)
        if graph is None:
            return state
        # Without the KerasTensors, which refer to one another in long chains.
        state["_rv_inputs_struct"] = tree.map_structure(lambda _: None, self._rv_inputs_struct)
        state["_rv_outputs_struct"] = tree.map_structure(lambda _: None, self._rv_outputs_struct)
        entries = [x._keras_history.operation for x in graph.inputs]
        specs = [[(x.shape, x.dtype) for x in outputs] for outputs in graph.step_outputs()]
        places = graph.places_of([*graph.inputs, *graph.outputs])
        state["_rv_record"] = (entries, graph.steps, specs, places)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        saved = state.pop("_rv_record", None)
        super().__setstate__(state)
        if saved is None:
            return
        entries, steps, specs, places = saved
        known: dict[int, KerasTensor] = {
            place: entry.output for place, entry in zip(places, entries, strict=False)
        }
        for step, shapes in zip(steps, specs, strict=True):
            args, kwargs = tree.map_structure(
                lambda x: known[x] if isinstance(x, Place) else x, (step.args, step.kwargs)
            )
            outputs = [KerasTensor(shape, dtype) for shape, dtype in shapes]
            Node(step.operation, args, kwargs, outputs)
            known.update(zip(step.outputs, outputs, strict=True))
        tensors = [known[place] for place in places]
        inputs, outputs = tensors[: len(entries)], tensors[len(entries) :]
        self._rv_inputs_struct = tree.pack_sequence_as(self._rv_inputs_struct, inputs)
        self._rv_outputs_struct = tree.pack_sequence_as(self._rv_outputs_struct, outputs)
        self._rv_graph = Graph(inputs, outputs)


def _shape_list(shapes: Any) -> list[Any]:
    """The shapes in a nest of shapes, flat."""
    if isinstance(shapes, dict):
        return [s for key in sorted(shapes) for s in _shape_list(shapes[key])]
    if all(dim is None or isinstance(dim, int) for dim in shapes):
        return [tuple(shapes)]
    return [s for item in shapes for s in _shape_list(item)]


def _not_symbolic(x: Any) -> str:
    """What came in place of a KerasTensor, and what to write."""
    if isinstance(x, Layer):
        return f"Received a layer, {x!r}: call it on a tensor, `{type(x).__name__}(...)(x)`."
    if hasattr(x, "shape"):
        return f"Received an array of shape {tuple(x.shape)}: begin with `Input(shape)`; `fit` takes arrays."
    return f"Received: {x!r} (of type {type(x).__name__})."


def _begin_with_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The same computation, from `Input`s where some of `inputs` were computed themselves."""
    flat = tree.flatten(inputs)
    nodes = [producer(x) for x in flat]
    if all(node is None or node.is_input for node in nodes):
        return inputs, outputs
    graph = Graph(flat, tree.flatten(outputs))
    fresh = [
        x
        if node is None or node.is_input
        else InputLayer(batch_shape=x.shape, dtype=x.dtype, name=f"{x.name}CLONE").output
        for x, node in zip(flat, nodes, strict=True)
    ]
    return tree.pack_sequence_as(inputs, fresh), tree.pack_sequence_as(outputs, graph.run(fresh))


def takes_inputs_and_outputs(cls: Any) -> bool:
    """Whether a model class's constructor is that of functional models."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)][1:]
    variable = {p.kind for p in parameters}
    return names[:2] == ["inputs", "outputs"] or (
        not names and {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= variable
    )

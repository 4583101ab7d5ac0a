"""Layer: the base class of everything that has weights and turns tensors into tensors."""

from __future__ import annotations

import contextlib
from typing import Any, overload

import numpy as np

from ranvier import constraints, dtype_policies, initializers, regularizers
from ranvier.core import arguments, dtypes, old_attributes, scope, tree
from ranvier.core.context import context
from ranvier.core.keras_tensor import KerasTensor, standardize_shape
from ranvier.core.keywords import constructor_keywords, suggest_keywords
from ranvier.core.masks import masks_of
from ranvier.core.missing_names import retired
from ranvier.core.operation import Operation, record
from ranvier.core.shape_inference import (
    call_on_placeholders,
    infer_output_spec,
    placeholders,
    shape_for_build,
)
from ranvier.core.trace import current_trace, in_a_step
from ranvier.core.user_code import short_traceback, shorten, warn
from ranvier.core.variable import Variable
from ranvier.dtype_policies import DTypePolicy, DTypePolicyMap
from ranvier.layers import building
from ranvier.layers import call as calling
from ranvier.layers.compiled_call import call_compiled
from ranvier.layers.config import LayerConfig
from ranvier.layers.edits import note_edit, with_noted_reads
from ranvier.layers.input_spec import assert_input_compatibility
from ranvier.layers.shapes import refusing
from ranvier.layers.state import LayerState
from ranvier.layers.stateless import StatelessCalls
from ranvier.layers.tracking import Tracker, holds_tracked
from ranvier.random import SeedGenerator


def _is_metric(value: Any) -> bool:
    # Metrics live in a higher room, so they are known by what they can do.
    return hasattr(value, "update_state") and hasattr(value, "reset_state")


@with_noted_reads
@retired(old_attributes.LAYER)
class Layer(LayerState, LayerConfig, StatelessCalls, Operation):
    """A callable object with weights: the base class of layers and models.

    A subclass makes sublayers and keeps arguments in `__init__`, makes weights in `build(input_shape)` with
    `add_weight`, and computes in `call(inputs)` with `ranvier.ops`. Variables, layers, metrics and seed
    generators assigned to attributes, also inside lists and dicts, are found by themselves.

    Args:
        activity_regularizer: a regularizer (or its name) of the layer's output.
        trainable: whether the layer's variables are to be trained.
        dtype: the dtype of computations and weights, "float32" or "float64", or a dtype policy; None: the
            global policy.
        autocast: whether floating-point inputs are cast to the layer's dtype.
        name: the layer's name, without "/"; None: one is made from the class's name.
        **kwargs: `input_shape`, `input_dim`, `batch_input_shape` and `batch_size`, for the first layer of a
            Sequential model.

    Raises:
        ValueError: for an unknown keyword argument, dtype or regularizer, and for a name that is not a string
            or contains "/".
    """

    # Attributes that are stored without being looked into.
    _rv_untracked: frozenset[str] = frozenset(
        "_rv_tracker _rv_layers _rv_metrics _rv_losses _rv_losses_trace _rv_inbound_nodes _rv_remat_mode "
        "_rv_is_stray".split()
    )
    _rv_assigned = "_rv_layers"  # the list that layers assigned to attributes go to
    _rv_building = False
    _rv_call_context_args: frozenset[str] = frozenset()
    _rv_called = False
    _rv_is_stray = False  # made in a step that is traced, and no layer's own: its weights would be lost

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        # What the constructor was given, for the config of classes that write no get_config of their own.
        object.__setattr__(instance, "_rv_init_arguments", (args, kwargs))
        return instance

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("build", "compute_output_shape"):
            if name in cls.__dict__ and cls.__module__.startswith("ranvier."):
                setattr(cls, name, refusing(cls.__dict__[name]))
        if "build" in cls.__dict__:
            cls.build = building.wrapped(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        Operation.__init__(self, name)
        self.path = self.name
        self.built = False
        self.autocast = autocast
        self.input_spec: Any = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self._rv_trainable = arguments.flag(trainable, "trainable")
        self._rv_dtype_policy = self._rv_offered(dtype_policies.get(dtype))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._rv_build_shapes = None
        self._rv_losses = []
        self._rv_losses_trace = None
        if in_a_step():
            self._rv_is_stray = True
        self._rv_input_shape_arg = _first_layer_shape(kwargs)
        if kwargs:
            near = suggest_keywords(kwargs, constructor_keywords(type(self)))
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}.{near}"
            )

    def _rv_make_stores(self) -> None:
        self.__dict__.update({name: [] for name in (*building.STORES, self._rv_assigned)})
        self._rv_make_tracker()

    def _rv_make_tracker(self) -> None:
        self.__dict__["_rv_tracker"] = Tracker(
            {
                "trainable": (
                    lambda v: isinstance(v, Variable) and v.trainable,
                    self._rv_trainable_variables,
                ),
                "non_trainable": (lambda v: isinstance(v, Variable), self._rv_non_trainable_variables),
                "layers": (lambda v: isinstance(v, Layer), getattr(self, self._rv_assigned)),
                "metrics": (_is_metric, self._rv_metrics),
                "seeds": (lambda v: isinstance(v, SeedGenerator), self._rv_seed_generators),
            },
            self,
        )

    # --- attributes ---

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._rv_untracked:
            if "_rv_tracker" not in self.__dict__:  # assigned before the constructor of the base class ran
                self._rv_make_stores()
            value = self._rv_tracker.track(value)
            note_edit(self, name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        gone = self.__dict__.get(name)
        object.__delattr__(self, name)
        if name not in self._rv_untracked and "_rv_tracker" in self.__dict__:
            self._rv_tracker.untrack([gone])
            note_edit(self, name)

    # --- copies ---

    def __getstate__(self) -> dict[str, Any]:
        """What `pickle` and `copy` keep: everything but the tracker, which is made anew around the copies."""
        # Models that are made from calls on KerasTensors keep the calls in a form of their own.
        dropped = ("_rv_tracker", "_rv_losses_trace", "_rv_inbound_nodes", "_rv_compiled_calls")
        state = {key: value for key, value in self.__dict__.items() if key not in dropped}
        if "_rv_tracker" in self.__dict__:
            tracked = [key for key, value in state.items() if holds_tracked(value)]
            state.update(_rv_losses=[], _rv_tracking=(tracked, self._rv_tracker.locked))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        tracked, locked = state.pop("_rv_tracking", ((), None))
        self.__dict__.update(state, _rv_losses_trace=None, _rv_inbound_nodes=[])
        if locked is None:  # the constructor of the base class was never called
            return
        self._rv_make_tracker()
        for key in tracked:  # lists and dicts that were copied as plain ones
            self.__dict__[key] = self._rv_tracker.track(self.__dict__[key])
        self._rv_tracker.locked = locked

    def _rv_check_initialized(self) -> None:
        if "_rv_dtype_policy" not in self.__dict__:
            raise RuntimeError(
                f"The `__init__()` of {type(self).__name__} must call `super().__init__()` before the object "
                "is called or weights are added."
            )

    def __repr__(self) -> str:
        if "name" not in self.__dict__:  # the constructor of the base class was never called
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The layer's dtype policy."""
        return self._rv_dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._rv_dtype_policy = self._rv_offered(dtype_policies.get(value))

    def _rv_offered(self, policy: DTypePolicy) -> DTypePolicy:
        policies = [policy, *(policy.values() if isinstance(policy, DTypePolicyMap) else ())]
        for one in policies:
            if one.quantization_mode is not None:
                raise ValueError(
                    f"Layer '{self.name}' cannot compute with the dtype policy '{one.name}': quantized "
                    "layers are not offered."
                )
        return policy

    @property
    def _rv_own_policy(self) -> DTypePolicy:
        """The policy of this layer, also where its `dtype` is a map of policies."""
        policy = self._rv_dtype_policy
        return policy[self.path] if isinstance(policy, DTypePolicyMap) else policy

    @property
    def dtype(self) -> str:
        """The dtype of the weights (the same as `variable_dtype`)."""
        return self._rv_own_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._rv_own_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of computations and outputs."""
        return self._rv_own_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that floating-point inputs are cast to."""
        return self.compute_dtype

    # --- building ---

    def build(self, input_shape: Any) -> None:
        """Makes the weights, once the shape of the input is known. Subclasses with weights override it.

        Args:
            input_shape: the input's shape, the batch dimension included (None where it is not known), or a
                nest of shapes.
        """
        with building.lock():
            if any(not layer.built for layer in self._rv_layers):
                self._rv_build_by_call((placeholders(input_shape, self.compute_dtype),), {})
            object.__setattr__(self, "_rv_build_shapes", {"input_shape": input_shape})
            if not self._rv_building:  # else a subclass's `build` may go on
                self._rv_finish_build()

    def _rv_has_build(self) -> bool:
        """Whether the layer's class has a `build` of its own; else its call builds what it calls."""
        return type(self).build is not Layer.build

    def _rv_build_at_init(self) -> None:
        """For constructors of layers without weights: nothing has to be built, unless by a subclass."""
        if not self._rv_has_build():
            self.built = True

    def _rv_build_by_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Calls the layer on placeholders, so that its sublayers see their shapes."""
        with self._rv_scope():
            stand_in = call_on_placeholders(self.call, args, kwargs)
        for layer in self._rv_flatten_layers(include_self=False):
            layer._rv_forget_batch(stand_in)

    def _rv_forget_batch(self, size: int) -> None:
        """Makes the batch dimension unknown in the recorded shapes, where it was only a placeholder's."""
        for key, shape in (self._rv_build_shapes or {}).items():
            if isinstance(shape, tuple) and shape and shape[0] == size:
                self._rv_build_shapes[key] = (None, *shape[1:])  # type: ignore[index]

    def _rv_finish_build(self) -> None:
        self.built = True
        if not self._rv_trainable:
            for variable in self._rv_trainable_variables:
                variable.trainable = False
        self._rv_tracker.locked = True

    def _rv_scope(self) -> Any:
        """The layer's name scope; inside its own build() that is open already."""
        return contextlib.nullcontext() if self._rv_building else scope.name_scope(self.name)

    @short_traceback
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable and tracks it.

        Args:
            shape: its shape; None: a scalar.
            initializer: an initializer or its name; None: "glorot_uniform" for floats, "zeros" for the
                others.
            dtype: its dtype; None: the layer's variable dtype.
            trainable: whether it is trained.
            autocast: whether it is cast to the compute dtype when it is read inside a call.
            regularizer: a regularizer or its name.
            constraint: a constraint, applied after each update, or its name.
            aggregation: "none", "mean", "sum" or "only_first_replica"; there is one replica here.
            overwrite_with_gradient: must be False; it serves half-precision scaling, which is not offered.
            name: its name; None: "variable", "variable_1", ...

        Raises:
            ValueError: for an unknown name or dtype, and if the layer is built already.
        """
        self._rv_check_initialized()
        if overwrite_with_gradient:
            raise ValueError("Argument `overwrite_with_gradient=True` is not supported.")
        self._rv_tracker.check_unlocked(f"a weight named {name!r} of shape {shape}")
        dtype = self.variable_dtype if dtype is None else dtypes.standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        with self._rv_scope():
            variable = Variable(
                initializers.get(initializer),
                shape=standardize_shape(() if shape is None else shape),
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._rv_tracker.track(variable)
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """The same as `add_weight`, with a shape and an initializer."""
        return self.add_weight(
            shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name
        )

    # --- calling ---

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Subclasses override it.

        It may take the arguments `training` (bool) and `mask`; whatever it computes with `ranvier.ops` works
        on arrays, inside traces, and under differentiation.
        """
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call` method implemented.")

    @overload
    def __call__(self, inputs: np.ndarray, /, *args: Any, **kwargs: Any) -> np.ndarray: ...

    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer: builds it if need be, checks and converts the inputs, and runs `call`.

        Args:
            *args: tensors (arrays, or tensors of the trace that is open), in nests if `call` expects them.
            **kwargs: further arguments of `call`. `training` is accepted by every layer and handed down to
                the layers called inside.

        Raises:
            ValueError: if an input does not fit; the message names the layer, what it expected and what came.
        """
        if len(args) == 1 and type(args[0]) is np.ndarray and "_rv_dtype_policy" in self.__dict__:
            result = call_compiled(self, args[0], kwargs)
            if result is not NotImplemented:
                return result
        signature = calling.call_signature(type(self).call)
        if not args and kwargs and signature.names and signature.names[0] in kwargs:
            first = signature.names[0]
            args, kwargs = (kwargs[first],), {k: v for k, v in kwargs.items() if k != first}
        state = context
        try:
            self._rv_check_initialized()
            calling.refuse_values(signature, args)
            # The outermost call gets arrays of its own: it may return them, change them and give them masks.
            args, kwargs = calling.convert_arguments(
                args, kwargs, self.input_dtype if self.autocast else None, own=state.depth == 0
            )
            if calling.holds_keras_tensor(args, kwargs):
                return self._rv_call_symbolically(signature, args, kwargs)
        except BaseException as error:
            shorten(error)
            raise
        training, args, kwargs = calling.resolve_training(signature, args, kwargs)
        masks = masks_of(args[0]) if args else None
        masks_came = masks is not None
        if signature.mask is not None:
            args, kwargs, masks = calling.resolve_mask(signature, args, kwargs, masks)
        outer_arguments = state.call_arguments
        if names := self._rv_call_context_args:
            kwargs, state.call_arguments = calling.resolve_context(type(self).call, names, args, kwargs)
        if state.depth == 0 and current_trace() is None:
            self._rv_clear_losses()
        outer_training = state.training
        state.depth += 1
        state.training = training
        try:
            if not self.built and self._rv_has_build():
                building.build_once(self, self._rv_build_for, signature, args, kwargs)
            assert_input_compatibility(self.input_spec, args[0] if args else None, self.name)
            with scope.name_scope(self.name):
                outputs = self._rv_call()(*args, **kwargs)
            if self.activity_regularizer is not None:
                self._rv_regularize_activity(outputs)
        except BaseException as error:
            calling.locate_error(error, self, args)
            shorten(error)
            raise
        finally:
            state.training, state.call_arguments = outer_training, outer_arguments
            state.depth -= 1
        if not self._rv_called:
            object.__setattr__(self, "_rv_called", True)
        if not self.built:
            self._rv_finish_build()
        if self._rv_build_shapes is None:
            self._rv_note_shape(args)
        if self.supports_masking:
            if masks is not None or type(self).compute_mask is not Layer.compute_mask:
                outputs = self._rv_with_masks(
                    outputs, args[0] if args else next(iter(kwargs.values())), masks
                )
        elif masks_came:
            self._rv_warn_of_lost_masks(outputs)
        return outputs

    def _rv_with_masks(self, outputs: Any, inputs: Any, masks: Any) -> Any:
        """The outputs with the masks that `compute_mask` says they have."""
        if masks is None and tree.is_nested(inputs):
            masks = tree.map_structure(lambda _: None, inputs)
        return calling.with_masks(outputs, self.compute_mask(inputs, masks), inputs)

    def _rv_warn_of_lost_masks(self, outputs: Any) -> None:
        if all(mask is None for mask in tree.flatten(masks_of(outputs))):
            warn(
                f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask "
                "attached to it. However, this layer does not support masking and will therefore destroy "
                "the mask information. Downstream layers will not see the mask.",
            )

    def _rv_note_shape(self, args: tuple[Any, ...]) -> None:
        """Remembers the first input's shape, of a layer that nobody built for it."""
        shapes = calling.shapes_of(args[0]) if args else None
        object.__setattr__(self, "_rv_build_shapes", {} if shapes is None else {"input_shape": shapes})

    def _rv_build_for(
        self, signature: calling.CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Builds the layer for the arguments of a call."""
        assert_input_compatibility(self.input_spec, args[0] if args else None, self.name)
        shapes = calling.build_shapes(self.build, signature, args, kwargs)
        if isinstance(shapes, dict):
            self.build(**shapes)
        else:
            self.build(*shapes)

    def _rv_build_symbolically(
        self, signature: calling.CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Builds the layer for a call on KerasTensors."""
        if self._rv_has_build():
            self._rv_build_for(signature, args, kwargs)
        elif len(args) + len(kwargs) == 1:
            self.build(calling.shapes_of(args[0] if args else next(iter(kwargs.values()))))
        else:
            self._rv_build_by_call(args, kwargs)
            self._rv_note_shape(args)
            self._rv_finish_build()

    @short_traceback
    def _rv_call_symbolically(
        self, signature: calling.CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Notes a call on KerasTensors; returns the KerasTensors that stand for the outputs."""
        outer_arguments = context.call_arguments
        try:
            taken = kwargs
            if names := self._rv_call_context_args:
                taken, context.call_arguments = calling.resolve_context(type(self).call, names, args, kwargs)
            if signature.training is None and "training" in taken:
                taken = {key: value for key, value in taken.items() if key != "training"}
            calling.refuse_unknown(signature, taken, self)
            if not self.built:
                building.build_once(self, self._rv_build_symbolically, signature, args, taken)
            assert_input_compatibility(self.input_spec, args[0] if args else None, self.name)
            if not self._rv_build_shapes:
                self._rv_note_shape(args)
            outputs = self.compute_output_spec(*args, **taken)
        except BaseException as error:
            calling.locate_error(error, self, args)
            shorten(error)
            raise
        finally:
            context.call_arguments = outer_arguments
        object.__setattr__(self, "_rv_called", True)
        return record(self, args, kwargs, outputs)

    def _register_call_context_args(self, *names: str) -> None:
        """Has arguments of calls handed down, as `training` is: to this layer and to those that it calls.

        A layer that registers a name accepts it as a keyword when it is called. Layers inside that register
        it too get the value, those whose `call` has the argument, without its being passed on by hand.

        Args:
            *names: the arguments' names.

        Raises:
            RuntimeError: after the layer has been called.
        """
        if self._rv_called:
            raise RuntimeError(
                f"Layer '{self.name}' has been called already: register call-context arguments before that, "
                "best in its `__init__`."
            )
        self._rv_call_context_args = self._rv_call_context_args | set(names)

    def _rv_regularize_activity(self, outputs: Any) -> None:
        for output in tree.flatten(outputs):
            if output is not None and dtypes.is_float(output.dtype):
                batch = output.shape[0] if output.shape else 1
                self.add_loss(self.activity_regularizer(output) / max(batch, 1))

    # --- shapes ---

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input of shape `input_shape` (None where a dimension is not known).

        A layer that does not override it is built, and its `call` is traced on placeholders.
        """
        if input_shape is None:
            raise TypeError(
                f'Layer "{self.name}" expected a shape, or a nest of shapes. Received: input_shape=None'
            )
        spec = self._rv_infer(placeholders(input_shape, self.compute_dtype))
        return tree.map_structure(lambda t: t.shape, spec)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes, as KerasTensors, for arguments that hold KerasTensors."""
        states_shape = type(self).compute_output_shape is not Layer.compute_output_shape
        if states_shape and args:
            shapes = self.compute_output_shape(calling.shapes_of(args[0]))
            if all(dim is None or isinstance(dim, int) for dim in shapes):
                return KerasTensor(shapes, dtype=self.compute_dtype)
        return self._rv_infer(*args, **kwargs)

    def _rv_infer(self, *args: Any, **kwargs: Any) -> Any:
        if not self.built:
            shapes = tree.map_structure(lambda t: shape_for_build(t.shape, t.dtype), args[0])
            building.build_once(self, self.build, shapes)
        return infer_output_spec(self.call, args, kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; by default the mask of the inputs."""
        return previous_mask


def _first_layer_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Takes the arguments that describe a model's input out of `kwargs`; the shape, batch included."""
    given = {k: kwargs.pop(k) for k in ("input_shape", "input_dim", "batch_input_shape") if k in kwargs}
    if not given:
        return None
    batch_size = kwargs.pop("batch_size", None)
    warn(
        "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, "
        "prefer using an `Input(shape)` object as the first layer in the model instead.",
    )
    if "batch_input_shape" in given:
        return standardize_shape(given["batch_input_shape"])
    shape = given["input_shape"] if "input_shape" in given else (given["input_dim"],)
    return standardize_shape((batch_size, *standardize_shape(shape)))

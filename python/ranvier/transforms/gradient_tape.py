"""GradientTape: derivatives of what was computed in a `with` block."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import tree
from ranvier.core.block import Block
from ranvier.core.dtypes import as_array
from ranvier.core.eager_trace import EagerTrace
from ranvier.core.stateless_scope import stateless_value
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace
from ranvier.core.user_code import short_traceback
from ranvier.core.variable import Variable


class GradientTape:
    """Records a computation, to be asked for its derivatives.

    While a step is traced (in a `train_step`, or a function under `ranvier.jit`), the trace records all
    of it anyway: the tape only marks where the question is put, and costs nothing. Outside of a trace the
    block runs eagerly: its tensors have numbers, and `gradient` returns arrays.

    What was computed before the block counts as a constant in it, also where it depends on a source: as in
    TensorFlow, derivatives are those of what the block computes.

    Tapes may be nested, for derivatives of derivatives: call the inner tape's `gradient` inside the outer
    tape's block.

    Args:
        persistent: whether `gradient` may be called more than once.
        watch_accessed_variables: whether derivatives by any variable can be asked for; if False, only by
            those given to `watch`, and others give None.

    Example:
        ```python
        with rv.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        ```
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watches_all = watch_accessed_variables
        self._watched: set[Any] = set()  # variables hash by identity
        self._trace: Trace | None = None
        self._own: EagerTrace | None = None
        self._recording = self._used = False
        self._block: Block | None = None

    def __enter__(self) -> GradientTape:
        if self._recording or self._trace is not None:
            raise ValueError("A GradientTape records one block: make a new tape for another one.")
        self._trace = current_trace()
        if self._trace is None:
            self._trace = self._own = EagerTrace()
            self._own.__enter__()
        self._block = Block(self._trace)
        self._trace.blocks.append(self._block)
        self._recording = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._recording = False
        assert self._trace is not None
        self._trace.blocks.remove(self._block)  # type: ignore[arg-type]
        if self._own is not None:
            self._own.__exit__(*exc_info)

    def watch(self, tensor: Any) -> Any:
        """Makes a value one that derivatives can be taken by.

        Tensors and variables are such values already. Arrays and numbers are not: what is returned stands for
        them, and the computation has to use it.

        Args:
            tensor: a tensor, variable or array, or a nest of them.

        Returns:
            A tensor for an array, else the value itself; in a nest like `tensor`.

        Raises:
            RuntimeError: outside of the tape's block.
            TypeError: for integers and booleans, which have no derivatives.
        """
        if not self._recording:
            raise RuntimeError("GradientTape.watch() works inside the tape's `with` block only.")
        return tree.map_structure(self._watch, tensor)

    def _watch(self, x: Any) -> Any:
        assert self._trace is not None
        if not isinstance(x, (Tensor, Variable)):
            x = self._trace.distinct(as_array(x))
        if not x.dtype.startswith("float"):
            raise TypeError(f"GradientTape.watch() takes floats. Received: a value of dtype {x.dtype}")
        if isinstance(x, Variable):
            self._watched.add(x)
        return x

    @short_traceback
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """The derivatives of the sum of all elements of `target`.

        Args:
            target: a float tensor, or a nest of them, computed in the tape's block.
            sources: a variable or a tensor of the block, or a nest of them. Of a variable that the block
                assigned, the value before counts.
            output_gradients: the derivatives to start from, a nest like `target` of arrays or tensors of its
                shapes; None: ones.
            unconnected_gradients: what a source gives that `target` does not depend on in a differentiable
                way: "none": None; "zero": zeros.

        Returns:
            In a nest like `sources`: tensors where a trace is open, arrays outside.

        Raises:
            RuntimeError: if the tape has recorded nothing, was asked before and is not persistent, or belongs
                to a step that was traced before.
            TypeError: for an integer target.
            ValueError: for a source that is neither a variable nor a tensor of the block, and for
                `output_gradients` that do not fit.
        """
        if self._trace is None or self._block is None:
            raise RuntimeError("The tape has recorded nothing: compute the target inside its `with` block.")
        if current_trace() is None and not self._trace.is_eager:
            raise RuntimeError(
                "The tape was asked after the step that it belongs to was traced: ask it in the step, where "
                "the gradients are computed whenever the step runs."
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients. Make it "
                "with `persistent=True` to call `gradient` more than once."
            )
        kind = str(getattr(unconnected_gradients, "value", unconnected_gradients)).lower()
        if kind not in ("none", "zero"):
            raise ValueError(
                f"`unconnected_gradients` must be 'none' or 'zero'. Received: {unconnected_gradients}"
            )
        leaves = tree.flatten(sources)
        found = self._gradients(target, [self._source(leaf) for leaf in leaves], output_gradients)
        self._used = True
        if not self._persistent and not self._recording:
            self._block.forget()
        results = [self._result(g, leaf, kind) for g, leaf in zip(found, leaves, strict=True)]
        return tree.pack_sequence_as(sources, results)

    def _source(self, source: Any) -> Tensor | None:
        if isinstance(source, Variable):
            if not self._watches_all and source not in self._watched:
                return None
            return self._inside(source)
        if isinstance(source, Tensor):
            return self._inside(source)
        raise ValueError(
            "The tape has not seen this source: derivatives are taken by variables and tensors. For an array "
            f"use the tensor that `x = tape.watch(x)` returns. Received: a {type(source).__name__}"
        )

    def _gradients(self, target: Any, sources: list[Tensor | None], starts: Any) -> list[Tensor | None]:
        assert self._trace is not None and self._block is not None
        targets = tree.flatten(target)
        seeds = [None] * len(targets) if starts is None else tree.flatten(starts)
        if len(seeds) != len(targets):
            raise ValueError(f"Expected {len(targets)} `output_gradients`, got {len(seeds)}.")
        # What is no tensor was computed from arrays alone and depends on nothing.
        pairs = [(t, s) for t, s in zip(targets, seeds, strict=True) if isinstance(t, (Tensor, Variable))]
        wanted = [source for source in sources if source is not None]
        if not pairs or not wanted:
            return [None] * len(sources)
        ys = [self._inside(t) for t, _ in pairs]
        given = [None if s is None else ops.cast(s, y.dtype) for y, (_, s) in zip(ys, pairs, strict=True)]
        found = iter(self._trace.gradients(ys, wanted, given, self._block.ends))
        return [None if source is None else next(found) for source in sources]

    def _inside(self, x: Any) -> Tensor:
        """A tensor or variable as it was in the block."""
        assert self._trace is not None and self._block is not None
        given = stateless_value(x) if isinstance(x, Variable) else x
        if not isinstance(given, Tensor):
            return self._block.variable(x)
        if given.trace is not self._trace:
            given = self._trace.tensor(given)
        return self._block.inside(given)

    def _result(self, gradient: Tensor | None, source: Any, unconnected: str) -> Any:
        if gradient is None:
            return ops.zeros(source.shape, source.dtype) if unconnected == "zero" else None
        return gradient.numpy() if self._own is not None and current_trace() is None else gradient

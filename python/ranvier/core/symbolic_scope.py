"""SymbolicScope: the mark of the stage in which models are described and nothing is computed."""

from __future__ import annotations

from ranvier.core.context import context


class SymbolicScope:
    """Says that what runs inside asks for shapes and dtypes, not for values.

    The library opens it while it infers the output of a layer or a function from placeholders. Nothing is
    computed otherwise for it: it is a mark for code that wants to know.

    Attributes:
        original_scope: the scope that was open around it, or None.

    Example:
        ```python
        with rv.SymbolicScope():
            spec = layer.compute_output_spec(rv.KerasTensor((None, 3)))
        ```
    """

    original_scope: SymbolicScope | None = None

    def __enter__(self) -> SymbolicScope:
        self.original_scope = symbolic_scope()
        context.symbolic_scope = self
        return self

    def __exit__(self, *exc_info: object) -> None:
        context.symbolic_scope = self.original_scope


def symbolic_scope() -> SymbolicScope | None:
    """The innermost open scope of this thread; None outside of all."""
    return context.symbolic_scope


def in_symbolic_scope() -> bool:
    """Whether a scope is open on this thread."""
    return symbolic_scope() is not None

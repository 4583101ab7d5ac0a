"""What is open on a thread: the one place that keeps what functions take over from around their calls."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranvier.core.remat_scope import RematScope
    from ranvier.core.stateless_scope import StatelessScope
    from ranvier.core.symbolic_scope import SymbolicScope
    from ranvier.core.trace import Trace


class Context(threading.local):
    """The state of this thread. Stacks are innermost last; None in one hides what is around it.

    Attributes:
        depth: how many calls of layers are open, one inside the other.
        training: the flag that they hand down; None where nobody set it.
        call_arguments: the other arguments that they hand down, by their names; see
            `Layer._register_call_context_args`.
        traces: the open traces.
        may_build: whether variables may be made although a trace is open; None: not whatever is built.
        numbers_in_placeholders: whether code that is traced for its shapes alone may look at numbers.
        stateless_scopes: the open `StatelessScope`s.
        symbolic_scope: the open `SymbolicScope`.
        remat_scopes: the open `RematScope`s.
        computes_twice: whether what runs is inside of a `remat` already.
        names: the open name scopes.
        custom_objects: the open `custom_object_scope`s.
        allowance: the bytes that variables may still take, and how a refusal begins; None: any number.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.training: bool | None = None
        self.call_arguments: Mapping[str, Any] = MappingProxyType({})
        self.traces: list[Trace | None] = []
        self.may_build: bool | None = False
        self.numbers_in_placeholders = False
        self.stateless_scopes: list[StatelessScope | None] = []
        self.symbolic_scope: SymbolicScope | None = None
        self.remat_scopes: list[RematScope] = []
        self.computes_twice = False
        self.names: list[str] = []
        self.custom_objects: list[dict[str, Any]] = []
        self.allowance: tuple[int, str] | None = None


context = Context()

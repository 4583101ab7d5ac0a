"""DTypePolicyMap: policies of layers by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from ranvier.core.registry import deserialize_object, serialize_object
from ranvier.dtype_policies.dtype_policy import DTypePolicy, dtype_policy
from ranvier.dtype_policies.lookup import get


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """A policy for each layer, by its path.

    Looking up a path gives the policy under this very key; else the one whose key, a regular expression,
    matches all of the path; else the default. As a policy of its own it is the default.

    Args:
        default_policy: a policy, its name, or None (the global policy at the time of the question).
        policy_map: regular expression -> policy.

    Raises:
        TypeError: for a `policy_map` that is no dict.
        ValueError: for an entry that is no policy; when looked up, if several keys match.
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(
                f"If specified, `policy_map` must be a dict. Received: policy_map={policy_map!r} of type "
                f"{type(policy_map)}"
            )
        self._default: DTypePolicy | None = None if default_policy is None else get(default_policy)
        self._map: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no key matches."""
        return dtype_policy() if self._default is None else self._default

    @property
    def name(self) -> str:
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"Path '{key}' matches multiple dtype policies: {found}.")
        return self._map[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._map:
            raise ValueError(
                f"{key} already exist in the DTypePolicyMap with value {self._map[key]}. Please make sure "
                "to not use duplicated keys."
            )
        self._map[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return id(self)

    def get_config(self) -> dict[str, Any]:
        return {
            "default_policy": None if self._default is None else self._default.name,
            "policy_map": {key: serialize_object(policy) for key, policy in self._map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        policies = {key: deserialize_object(policy) for key, policy in config["policy_map"].items()}
        return cls(config["default_policy"], policies)

    def __repr__(self) -> str:
        entries = [(key, policy.name) for key, policy in self._map.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={entries}>"

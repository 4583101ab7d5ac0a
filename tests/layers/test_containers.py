"""What is put into containers of any class is found, and the containers stay what they are."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from tests.layers.containers_table import CONTAINERS, Bag, Blocks, Named, Pair, Slotted, leaves

import ranvier as rv
from ranvier import layers


def holder(value):
    layer = layers.Layer()
    layer.held = value
    return layer


def kinds():
    """Each kind of thing that is tracked: how it is made, and where it is found."""
    return {
        "layer": (lambda n: layers.Dense(n), lambda owner: owner._layers),
        "model": (lambda n: rv.Sequential([layers.Dense(n)]), lambda owner: owner._layers),
        "variable": (lambda n: rv.Variable(np.zeros(n)), lambda owner: owner.trainable_variables),
        "metric": (lambda n: rv.metrics.Mean(name=f"m{n}"), lambda owner: owner.metrics),
        "seed": (lambda n: rv.random.SeedGenerator(n), lambda owner: owner._seed_generators),
    }


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", CONTAINERS)
def test_everything_is_found_in_every_container(name, kind):
    make, found = kinds()[kind]
    a, b = make(1), make(2)
    container = CONTAINERS[name](a, b)
    owner = holder(container)
    assert sorted(map(id, found(owner))) == sorted([id(a), id(b)])
    assert isinstance(owner.held, type(container)) and type(owner.held).__name__ == type(container).__name__
    assert {id(leaf) for leaf in leaves(owner.held)} == {id(a), id(b)}


def test_containers_stay_what_they_are():
    a, b = layers.Dense(1), layers.Dense(2)
    assert holder(Pair(a, b)).held.second is b
    assert holder(OrderedDict(b=a, a=b)).held.popitem(last=False) == ("b", a)
    assert holder(defaultdict(list)).held.default_factory is list
    own = Named("mine", a=a)
    assert holder(own).held is own and own.title == "mine" and repr(own) == repr({"a": a})
    slotted = Slotted(a=a)
    slotted.note = "kept"
    assert holder(slotted).held.note == "kept"


@pytest.mark.parametrize("name", CONTAINERS)
def test_copies_are_of_the_same_class_and_report_to_the_copy(name):
    owner = holder(CONTAINERS[name](layers.Dense(1), layers.Dense(2)))
    for other in (copy.deepcopy(owner), pickle.loads(pickle.dumps(owner))):
        assert [inner.units for inner in other._layers] == [inner.units for inner in owner._layers]
        assert not {id(x) for x in other._layers} & {id(x) for x in owner._layers}
        assert type(other.held).__name__ == type(owner.held).__name__
    alone = pickle.loads(pickle.dumps(owner.held))
    assert type(alone).__name__ == type(owner.held).__name__ and len(leaves(alone)) == 2
    assert type(copy.copy(owner.held)).__name__ == type(owner.held).__name__


class Recording(list):
    made: list[type] = []

    def __init_subclass__(cls, **kwargs):
        Recording.made.append(cls)


def test_a_registry_of_subclasses_sees_none_of_ours():
    assert len(holder(Recording([layers.Dense(1)]))._layers) == 1 and not Recording.made


LISTS = {
    "append": lambda c, a: c.append(a),
    "insert": lambda c, a: c.insert(0, a),
    "extend": lambda c, a: c.extend([a]),
    "+=": lambda c, a: c.__iadd__([a]),
    "slice": lambda c, a: c.__setitem__(slice(0, 0), [a]),
    "item": lambda c, a: c.__setitem__(0, a),
    "nested": lambda c, a: c.append({"x": (a,)}),
}
DICTS = {
    "item": lambda c, a: c.__setitem__("k", a),
    "update": lambda c, a: c.update({"k": a}),
    "update by name": lambda c, a: c.update(k=a),
    "|=": lambda c, a: c.__ior__({"k": a}),
    "setdefault": lambda c, a: c.setdefault("k", a),
    "nested": lambda c, a: c.update(k=[a]),
}
SETS = {
    "add": lambda c, a: c.add(a),
    "update": lambda c, a: c.update([a]),
    "|=": lambda c, a: c.__ior__({a}),
    "^=": lambda c, a: c.__ixor__({a}),
}
MAKERS = {
    "list": (lambda: [layers.Dense(1)], LISTS),
    "list class": (lambda: Blocks([layers.Dense(1)]), LISTS | {"own": lambda c, a: c.grow(a)}),
    "dict": (lambda: {"k": layers.Dense(1)}, DICTS),
    "OrderedDict": (lambda: OrderedDict(k=layers.Dense(1)), DICTS),
    "defaultdict": (lambda: defaultdict(list, k=layers.Dense(1)), DICTS),
    "dict class": (lambda: Named("t", k=layers.Dense(1)), DICTS),
    "set": (lambda: {layers.Dense(1)}, SETS),
    "set class": (lambda: Bag([layers.Dense(1)]), SETS),
}
PUTS = [(name, operation) for name, (_, operations) in MAKERS.items() for operation in operations]


@pytest.mark.parametrize(("name", "operation"), PUTS)
def test_what_is_put_in_later_is_found(name, operation):
    make, operations = MAKERS[name]
    owner, added = holder(make()), layers.Dense(2)
    operations[operation](owner.held, added)
    assert sum(x is added for x in owner._layers) == (operation != "setdefault")
    assert {id(x) for x in owner._layers} == {id(leaf) for leaf in leaves(owner.held)}


def test_what_a_defaultdict_makes_is_found():
    owner = holder(defaultdict(list))
    owner.held["new"].append(layers.Dense(1))
    assert len(owner._layers) == 1


def test_a_layer_is_forgotten_only_when_nothing_leads_to_it():
    a, b = layers.Dense(1), layers.Dense(2)
    owner = holder([a, b])
    owner.held[0], owner.held[1] = owner.held[1], owner.held[0]
    assert sorted(x.units for x in owner._layers) == [1, 2]
    owner.first = a
    owner.held.clear()
    assert owner._layers == [a]
    del owner.first
    assert owner._layers == []
    owner = holder({"a": a, "b": [a]})
    del owner.held["a"]
    assert owner._layers == [a]
    owner.held.pop("b")
    assert owner._layers == []


def test_one_container_in_two_layers():
    shared = Blocks()
    first, second = holder(shared), holder(shared)
    shared.append(layers.Dense(1))
    assert len(first._layers) == len(second._layers) == 1
    first.other = first.held
    assert first.other is first.held
    copied = holder(holder([layers.Dense(1)]).held)
    assert len(copied._layers) == 1


def test_a_container_does_not_keep_its_layer_alive():
    owner = holder(Blocks([layers.Dense(1)]))
    held, gone = owner.held, weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
    held.append(layers.Dense(2))
    assert len(held) == 2


def test_a_built_layer_takes_no_new_state():
    owner = holder(Blocks())
    owner.build((None, 2))
    with pytest.raises(ValueError, match="cannot add new elements of state"):
        owner.held.append(layers.Dense(1))
    owner._tracker.unlock()
    owner.held.append(layers.Dense(1))
    assert len(owner._layers) == 1


class Net(rv.Model):
    def __init__(self, name):
        super().__init__()
        self.blocks = CONTAINERS[name](layers.Dense(3, name="a"), layers.Dense(3, name="b"))

    def call(self, x):
        for layer in sorted(leaves(self.blocks), key=lambda layer: layer.name):
            x = layer(x)
        return x


@pytest.mark.parametrize("name", CONTAINERS)
def test_layers_in_containers_are_trained_and_saved(name, tmp_path):
    pytest.importorskip("h5py")
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    net, other = Net(name), Net(name)
    net.compile("sgd", "mse")
    net.build((None, 3))
    other.build((None, 3))
    assert len(net.weights) == 4
    before = net.get_weights()
    net.fit(x, x + 1.0, verbose=0)
    assert all((a != b).any() for a, b in zip(before, net.get_weights(), strict=True))
    net.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(net(x), other(x))
    again = copy.deepcopy(net)
    np.testing.assert_array_equal(net(x), again(x))

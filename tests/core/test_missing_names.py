"""Names that are missing: what is said of them, and that nothing but what is public is listed."""

import copy
import importlib
import inspect
import pickle
import re
import sys

import pytest

import ranvier as rv
from ranvier.core import missing_names, old_attributes
from ranvier.core.keras_names import NAMES
from ranvier.core.old_names import TODAY

# What is public here and not in Keras.
OURS = {
    "": {"GradientTape", "__version__", "grad", "jit", "profile", "value_and_grad"},
    "activations": {"binary_step"},
    "backend": {"reset_uids"},
    "datasets": {"digits"},
    "datasets.digits": {"load_data"},
    "ops": {"binary_step", "mish"},
    "ops.linalg": {"logdet", "slogdet"},
    "ops.nn": {"binary_step", "mish"},
}


def module_of(namespace):
    return sys.modules[f"ranvier.{namespace}".rstrip(".")]


@pytest.mark.parametrize("namespace", sorted(missing_names._public))
def test_what_is_listed_is_public_and_there(namespace):
    module = module_of(namespace)
    contract = set(NAMES.get(namespace, "").split()) | OURS.get(namespace, set())
    listed = dir(module)
    assert set(listed) <= contract
    assert len(listed) == len(set(listed)) and set(listed) == set(module.__all__)
    assert all(hasattr(module, name) for name in listed)


def test_every_namespace_that_is_public_lists_what_is_public():
    for namespace in missing_names._public:
        for name in module_of(namespace).__all__:
            value = getattr(module_of(namespace), name)
            assert not inspect.ismodule(value) or hasattr(value, "__all__"), f"{namespace}.{name}"


@pytest.mark.parametrize("namespace", sorted(missing_names._public))
def test_each_name_of_keras_that_is_not_offered_says_so(namespace):
    module = module_of(namespace)
    for name in set(NAMES.get(namespace, "").split()) - set(dir(module)):
        assert not hasattr(module, name)
        with pytest.raises(AttributeError) as caught:
            getattr(module, name)
        message = str(caught.value)
        assert f"has no attribute '{name}': " in message
        assert re.search("Keras has it, this version of Ranvier does not|it is in|Today", message), message


@pytest.mark.parametrize(
    ("statement", "parts"),
    [
        ("rv.layers.Conv2D", ("Keras has it, this version of Ranvier does not", "dir(ranvier.layers)")),
        ("from ranvier.layers import Conv2D", ("Conv2D", "Keras has it, this version of Ranvier does not")),
        ("from ranvier.applications import VGG16", ("applications", "Keras has it, this version")),
        ("import ranvier.applications.vgg16", ("applications", "Keras has it, this version")),
        ("rv.layers.Dens", ("Did you mean `Dense`?",)),
        ("from ranvier.layers import Dens", ("Did you mean `Dense`?",)),
        ("rv.layres.Dense", ("Did you mean `layers`?",)),
        ("rv.Dense", ("it is in ranvier.layers. Write `ranvier.layers.Dense`",)),
        ("rv.layers.relu", ("Write `ranvier.activations.relu`",)),
        ("rv.optimizers.legacy.Adam", ("older Keras", "ranvier.optimizers.Adam")),
        ("from ranvier.optimizers.legacy import Adam", ("older Keras", "ranvier.optimizers.Adam")),
        ("rv.backend.Variable", ("Write `ranvier.Variable`",)),
        ("rv.backend.mean", ("Write `ranvier.ops.mean`",)),
        ("rv.backend.placeholder", ("older Keras", "ranvier.Input")),
        ("from ranvier.backend import get_session", ("there are no sessions",)),
        ("from ranvier.utils.np_utils import to_categorical", ("from ranvier.utils import to_categorical",)),
        ("from ranvier.utils import np_utils", ("from ranvier.utils import to_categorical",)),
        ("rv.to_categorical", ("Write `ranvier.utils.to_categorical`",)),
        (
            "from ranvier.layers.advanced_activations import LeakyReLU",
            ("from ranvier.layers import LeakyReLU",),
        ),
        (
            "from ranvier.layers.normalization import BatchNormalization",
            ("`ranvier.layers.BatchNormalization`",),
        ),
        ("from ranvier.layers.core import Dropout", ("Write `ranvier.layers.Dropout`",)),
        ("from ranvier.layers.recurrent import LSTM", ("from ranvier.layers import LSTM",)),
        ("from ranvier.preprocessing.text import Tokenizer", ("texts are not offered",)),
        ("from ranvier.preprocessing.sequence import TimeseriesGenerator", ("PyDataset",)),
        ("from ranvier.wrappers.scikit_learn import KerasClassifier", ("fit` and `predict",)),
        ("from ranvier.engine.topology import Layer", ("`ranvier.Layer`",)),
        ("import ranvier.engine", ("`ranvier.Layer`",)),
    ],
)
def test_a_missing_name_says_what_to_write(statement, parts):
    expected = ImportError if "import" in statement else AttributeError
    with pytest.raises(expected) as caught:
        exec(statement, {"rv": rv})
    for part in parts:
        assert part in str(caught.value)


def test_what_is_said_of_old_names_is_there():
    for full, today in TODAY.items():
        namespace, _, name = full.rpartition(".")
        assert name not in missing_names._public.get(namespace, ()), f"{full} is offered"
        for path in re.findall(r"`(ranvier(?:\.\w+)+)", today):
            value = rv
            for part in path.split(".")[1:]:
                value = getattr(value, part)


MODEL = rv.Sequential([rv.Input((2,)), rv.layers.Dense(1)])


@pytest.mark.parametrize(
    ("owner", "table"),
    [
        (MODEL, old_attributes.MODEL),
        (MODEL.layers[0], old_attributes.LAYER),
        (rv.metrics.Mean(), old_attributes.METRIC),
        (rv.optimizers.SGD(), old_attributes.OPTIMIZER),
    ],
    ids=["model", "layer", "metric", "optimizer"],
)
def test_old_attributes_say_what_to_write_and_are_not_there(owner, table):
    for name, today in table.items():
        assert not hasattr(owner, name) and name not in dir(owner)
        with pytest.raises(AttributeError, match="older Keras") as caught:
            getattr(owner, name)
        assert today in str(caught.value) and type(owner).__name__ in str(caught.value)
        assert getattr(owner, name, 7) == 7
    assert "get_config" in dir(owner)
    copy.copy(owner)
    inspect.getmembers(owner)


def test_an_object_may_have_an_attribute_of_an_old_name():
    class Own(rv.Model):
        updates = 3

        def __init__(self):
            super().__init__()
            self.targets = [1]

    own = Own()
    assert own.updates == 3 and own.targets == [1] and {"updates", "targets"} <= set(dir(own))


def test_a_model_is_pickled_and_copied_as_before():
    assert copy.deepcopy(MODEL).count_params() == pickle.loads(pickle.dumps(MODEL)).count_params() == 3


def test_probing_a_module_finds_nothing_that_is_not_there():
    assert not hasattr(rv.layers, "__wrapped__") and not hasattr(rv, "_ipython_display_")
    assert getattr(rv.layers, "Conv2D", None) is None
    assert importlib.util.find_spec("ranvier.layers") is not None
    inspect.getmembers(rv.layers)
    inspect.unwrap(rv.layers.Dense)


def test_star_imports_bring_what_is_public():
    space = {}
    exec("from ranvier.layers import *", space)
    assert space.keys() - {"__builtins__"} == set(dir(rv.layers))


def test_the_known_names_of_an_error_are_public():
    with pytest.raises(TypeError) as caught:
        rv.layers.deserialize({"class_name": "Qqqqqqqqqqq", "config": {}})
    listed = re.search(r"Known names: (.*?)\. ", str(caught.value)).group(1).split(", ")
    assert set(listed) <= set(dir(rv.layers))

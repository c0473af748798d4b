"""What missing packages hold back, of architectures made for the purpose and of what this environment lacks."""

import pytest

from modelmuster import catalog, dependencies
from modelmuster.contracts import Probe
from modelmuster.plugins import BrokenPlugin
from modelmuster.records import Architecture, Family, ModelClass
from modelmuster.runs.needs import needs


def made(model_type, *requires, classes=2):
    return Architecture(
        model_type=model_type,
        config_class="Config",
        module="transformers.models.x",
        family=Family.VISION,
        top_level=True,
        model_classes=tuple(ModelClass(name=f"{model_type}{number}") for number in range(classes)),
        requires=requires,
    )


def waiting(name, package, group="modelmuster.checks"):
    return BrokenPlugin(group, name, "modelmuster", "ModuleNotFoundError", "", package)


def test_a_package_holds_back_what_needs_it_and_unlocks_what_lacks_nothing_else():
    entries = [made("plain"), made("one", "no-such-a"), made("both", "no-such-a", "no-such-b", classes=3)]
    first, second = needs(entries, [], {}).missing
    assert (first.package, first.architectures, first.classes, first.unlocks) == (
        "no-such-a", ("one", "both"), 5, ("one",),
    )  # fmt: skip
    assert (second.package, second.architectures, second.unlocks) == ("no-such-b", ("both",), ())
    assert first.install == "pip install no-such-a"


def test_checks_and_targets_wait_for_packages_too():
    absent = next(
        name for name in ("ray", "playwright", "openvino", "onnx", "torch") if name in dependencies.optional()
    )
    probes = {
        "far:away": Probe(available=False, reason="not here", missing=(absent,)),
        "no:driver": Probe(available=False, reason="no driver", missing=("a driver",)),
    }
    found = {
        need.package: need
        for need in needs(
            [], [waiting("deep", absent), waiting("wide", absent, "modelmuster.executors")], probes
        ).missing
    }
    assert set(found) == {absent}
    assert found[absent].checks == ("deep",)
    assert found[absent].targets == ("far:away",)


def test_every_architecture_says_what_it_needs():
    found = needs([made("plain"), made("one", "timm")], [], {})
    assert found.architectures == {"plain": ("torch", "transformers"), "one": ("torch", "transformers", "timm")}


@pytest.mark.parametrize("package", ["natten", "detectron2"])
def test_what_this_environment_lacks_is_found_in_the_real_catalogue(package):
    if dependencies.version(package):
        pytest.skip(f"{package} is installed")
    entries = [entry for entry in catalog.load() if entry.top_level]
    held = {need.package: need for need in needs(entries, [], {}).missing}[package]
    assert set(held.architectures) == {entry.model_type for entry in entries if package in entry.requires}

"""Which distribution a module comes from, whether it is here, and how to get it."""

import pytest

from modelmuster import dependencies


@pytest.mark.parametrize(
    ("module", "distribution"), [("PIL.Image", "pillow"), ("torch.nn", "torch"), ("huggingface_hub", "huggingface-hub")]
)
def test_a_module_belongs_to_a_distribution(module, distribution):
    assert dependencies.distribution_of(module) == distribution
    assert dependencies.module_of(distribution) == module.partition(".")[0]


def test_the_command_names_the_smallest_extra_or_else_the_package():
    assert dependencies.install_command("torch") == "pip install 'modelmuster[torch]'"
    assert dependencies.install_command("Pillow") == "pip install 'modelmuster[models]'"
    assert dependencies.install_command("no-such-package") == "pip install no-such-package"


def test_core_and_optional_packages_are_told_apart():
    assert dependencies.is_core("duckdb")
    assert dependencies.is_core("modelmuster")
    assert not dependencies.is_core("torch")
    assert {"torch", "transformers", "pillow"} <= set(dependencies.optional())
    assert "duckdb" not in dependencies.optional()


def test_only_the_absence_of_an_optional_package_counts_as_lacking():
    assert dependencies.lacking(ModuleNotFoundError("No module named 'natten'", name="natten.functional")) == "natten"
    assert dependencies.lacking(ModuleNotFoundError("gone", name="modelmuster.nothing")) is None
    assert dependencies.lacking(ModuleNotFoundError("gone", name="torch.nothing")) is None
    assert dependencies.lacking(ImportError("something else")) is None


def test_it_is_found_behind_the_error_that_it_caused():
    outer = RuntimeError("the model cannot be made")
    outer.__cause__ = ModuleNotFoundError("No module named 'natten'", name="natten")
    assert dependencies.lacking(outer) == "natten"

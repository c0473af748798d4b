"""What a type needs beyond torch."""

from modelmuster.catalog.facts import CodeFacts
from modelmuster.catalog.requires import backends

TIMM = CodeFacts(packages=frozenset({"timm"}))


def test_the_code_of_the_class_demands(type_facts, class_facts):
    made = class_facts(code=CodeFacts(packages=frozenset({"natten", "torch"})))
    assert set(backends(type_facts(made), made, {})) == {"natten"}


def test_so_does_the_code_behind_a_default_backbone(type_facts, class_facts):
    backbone = type_facts(class_facts(name="TimmBackbone", tasks=("BACKBONE",), code=TIMM), name="timm_backbone")
    made = class_facts(code=CodeFacts(builds=frozenset({"AutoBackbone"})))
    facts = type_facts(made, contains={"backbone_config": "timm_backbone"})
    assert backends(facts, made, {"timm_backbone": backbone}) == {
        "timm": "the default config holds a timm_backbone, whose TimmBackbone demands it"
    }


def test_a_config_that_is_only_a_source_of_settings_demands_nothing(type_facts, class_facts):
    backbone = type_facts(class_facts(name="TimmBackbone", tasks=("BACKBONE",), code=TIMM), name="timm_backbone")
    detr = type_facts(class_facts(name="Detr", tasks=("OBJECT_DETECTION",)), name="detr")
    object.__setattr__(detr, "module", "transformers.models.detr")
    made = class_facts(code=CodeFacts(builds=frozenset({"AutoBackbone"})))
    contains = {"decoder_config": "detr", "decoder_config.backbone_config": "timm_backbone"}
    facts = type_facts(made, contains=contains)
    assert backends(facts, made, {"detr": detr, "timm_backbone": backbone}) == {}


def test_nothing_to_run_needs_nothing(type_facts):
    assert backends(type_facts(), None, {}) == {}

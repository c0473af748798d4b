"""Types counted by family: the worst of a type's cells stands for it, what was fed is held against the catalogue."""

import msgspec
import pytest
from stored_run import BERT, LLAMA, SWIN, VIT

from modelmuster import store
from modelmuster.records import Architecture, Family, Modality, Outcome
from modelmuster.settings import Home
from modelmuster.views.families import UNKNOWN, by_family
from modelmuster.views.narrowing import narrow
from run_folders import make_cell, make_recipe, make_record, write_run

CLIP = make_cell("clip", model_class="CLIPModel", family=Family.VISION_TEXT)
LLAVA = make_cell("llava", model_class="Llava", family=Family.VISION_TEXT)
GLM = make_cell("glm4v", model_class="Glm4v", family=Family.VISION_TEXT)
RUN = "2026-04-01-families"


def entry(cell, *kinds):
    return Architecture(
        model_type=cell.model_type,
        config_class="",
        module="",
        family=cell.family,
        top_level=True,
        modalities=tuple(Modality(kind) for kind in kinds),
    )


KNOWN = {
    "clip": entry(CLIP, "text", "image"),
    "llava": entry(LLAVA, "text", "image"),
    "glm4v": entry(GLM, "text", "image", "video"),
    "bert": entry(BERT, "text"),
}


def fed(cell, *kinds, apart=()):
    return msgspec.structs.replace(
        make_recipe(cell), modalities=tuple(Modality(kind) for kind in kinds), apart=dict.fromkeys(apart, "why")
    )


@pytest.fixture
def reader(tmp_path):
    home = Home(tmp_path)
    records = [
        make_record(RUN, BERT),
        make_record(RUN, LLAMA, (Outcome.ERROR, Outcome.PASS)),
        make_record(RUN, VIT, (Outcome.UNAVAILABLE, Outcome.UNAVAILABLE)),
        make_record(RUN, CLIP, recipe=fed(CLIP, "text", "image")),
        make_record(RUN, LLAVA, recipe=fed(LLAVA, "text")),
        make_record(RUN, GLM, recipe=fed(GLM, "text", "image", apart=[Modality.VIDEO])),
    ]
    unplanned = {"odd": "it has no class"}
    write_run(home, RUN, [BERT, LLAMA, VIT, SWIN, CLIP, LLAVA, GLM], records, unplanned=unplanned)
    store.ingest(home)
    with store.reader(home) as opened:
        yield opened


def test_a_type_counts_once_with_its_worst_outcome(reader):
    found = {row.family: row for row in by_family(reader, narrow(reader, checks=["forward"]), KNOWN)}
    vision = found["vision"]
    assert (vision.types, vision.ran, vision.passed) == (2, 0, 0)
    assert vision.outcomes == {Outcome.UNAVAILABLE: 1, Outcome.NOT_RUN: 1}
    assert (found["decoder-only"].ran, found["decoder-only"].passed) == (1, 0)
    assert [(rest.model_type, rest.outcome) for rest in found["decoder-only"].rest] == [("llama", Outcome.ERROR)]


def test_fed_in_one_call_is_all_that_the_catalogue_says_but_what_stands_apart(reader):
    [row] = [row for row in by_family(reader, narrow(reader, checks=["forward"]), KNOWN) if row.family == "vision-text"]
    assert (row.multimodal, row.fused, row.not_fused) == (3, 2, ("llava",))


def test_what_could_not_be_planned_is_there_too(reader):
    [last] = [row for row in by_family(reader, narrow(reader, checks=["forward"]), KNOWN) if row.family == UNKNOWN]
    assert (last.types, last.ran, last.rest[0].model_type, last.rest[0].outcome) == (1, 0, "odd", None)
    assert all(row.family != UNKNOWN for row in by_family(reader, narrow(reader, names=["bert"]), KNOWN))


def test_another_check_may_decide(reader):
    found = {row.family: row for row in by_family(reader, narrow(reader, checks=["reference"]), KNOWN)}
    assert found["decoder-only"].passed == 1

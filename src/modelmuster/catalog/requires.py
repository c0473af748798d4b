"""What a type needs beyond torch: what its code demands, and what the code behind its default sub-configs demands."""

from __future__ import annotations

from collections.abc import Mapping

from modelmuster.catalog.facts import ClassFacts, TypeFacts


def backends(facts: TypeFacts, chosen: ClassFacts | None, known: Mapping[str, TypeFacts]) -> dict[str, str]:
    """Backends, in the library's words, each with the reason.

    A DETR whose default backbone is a `timm_backbone` needs timm, though its own code never says so.
    """
    found: dict[str, str] = {}
    if chosen is None:
        return found
    for backend in sorted(chosen.code.packages):
        found[backend] = f"{chosen.name} demands it"
    for path, name in facts.contains.items():
        inner = known.get(name)
        if inner is None or not _is_built(facts, chosen, path, known):
            continue
        for used in inner.classes:
            for backend in sorted(used.code.packages):
                found.setdefault(backend, f"the default config holds a {name}, whose {used.name} demands it")
    found.pop("torch", None)
    return dict(sorted(found.items()))


def _is_built(facts: TypeFacts, chosen: ClassFacts, path: str, known: Mapping[str, TypeFacts]) -> bool:
    """Whether the model of a sub-config is really built, and with it the models of all configs around it.

    MaskFormer holds a whole DETR config, but only settings are taken from it: its code asks for backbones, and a DETR
    is none.
    """
    steps = path.split(".")
    for end in range(1, len(steps) + 1):
        inner = known.get(facts.contains.get(".".join(steps[:end]), ""))
        if inner is None or inner.module == facts.module or "AutoModel" in chosen.code.builds:
            continue
        is_backbone = any("BACKBONE" in found.tasks for found in inner.classes)
        if chosen.code.builds and not is_backbone:
            return False
    return True

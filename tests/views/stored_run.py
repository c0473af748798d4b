"""Two runs with something of everything."""

from modelmuster.records import CellRecord, Family, Inference, Outcome, Scale
from run_folders import make_cell, make_record, make_result

OLD, NEW = "2026-03-01-old", "2026-03-02-new"

BERT = make_cell("bert")
BERT_HALF = make_cell("bert", dtype="bfloat16")
BERT_TOY = make_cell("bert", "toy")
BERT_LARGE = make_cell("bert", scale=Scale.DEFAULT)
LLAMA = make_cell("llama", model_class="LlamaModel", family=Family.DECODER_ONLY)
VIT = make_cell("vit", model_class="ViTModel", family=Family.VISION)
SWIN = make_cell("swin", model_class="SwinModel", family=Family.VISION)
VIDEO = make_cell("timesformer", model_class="TimesformerModel", family=Family.VIDEO)
CELLS = (BERT, BERT_HALF, BERT_TOY, LLAMA, VIT, SWIN, VIDEO)


def records(run_id: str) -> list[CellRecord]:
    """bert passes, in bfloat16 the reference fails; llama errs, as does vit; swin crashes, then passes; no video."""
    foreseen = make_result("forward", Outcome.ERROR, expected="known upstream")
    flaky = make_result("forward", flaky=True)
    return [
        make_record(run_id, BERT),
        make_record(run_id, BERT_HALF, (Outcome.PASS, Outcome.FAIL)),
        make_record(run_id, BERT_TOY, (Outcome.ERROR, Outcome.SKIPPED), inference=Inference.MOCK),
        make_record(run_id, LLAMA, (Outcome.ERROR, Outcome.NOT_APPLICABLE)),
        make_record(run_id, VIT, results=[foreseen, make_result("reference", Outcome.UNSUPPORTED)]),
        make_record(run_id, SWIN, (Outcome.CRASH, Outcome.CRASH), final=False),
        make_record(run_id, SWIN, results=[flaky, make_result("reference")], attempt=2),
    ]

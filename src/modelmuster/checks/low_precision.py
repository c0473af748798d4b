"""Narrow types are what models are served in: a mask or a norm that overflows there shows in float16 first."""

from __future__ import annotations

from typing import Any

from modelmuster.checks.choices import Choices
from modelmuster.checks.differences import agrees, off, size_of
from modelmuster.checks.feeding import quantiser
from modelmuster.checks.live import call
from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.precision import in_dtype
from modelmuster.numerics.rounding import estimate
from modelmuster.numerics.rule import judge
from modelmuster.numerics.seeding import call_seeded
from modelmuster.numerics.tensors import dtype_named, flatten, to_torch
from modelmuster.records import Finding, Stage, Trait

NARROW = ("bfloat16", "float16")

DRAWS = 1
"""Runs with random rounding for each type: a factor of two is nothing beside what is looked for here."""

MORE_DRAWS = 8
"""Before anything is said to be off: of an output of two numbers, a single run says little."""

REFUSALS = ("not implemented for 'Half'", "not implemented for 'BFloat16'", "Low precision dtypes", "Unsupported dtype")
"""How torch says that the CPU has no kernel for an operator in a dtype."""


class LowPrecision(Question):
    """Runs copies in bfloat16 and float16 and judges them by the rule of `reference`, in that dtype."""

    name = "low_precision"
    question = "Does the model in bfloat16 and in float16 agree with float64 as far as those types allow?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Float32 trials on the CPU: the cells of other types ask `reference` itself."""
        if trial.dtype != "float32":
            return "asked in float32 trials: this one has its own dtype"
        if Trait.MIXTURE_OF_EXPERTS in trial.architecture.traits:
            return "rounding may send a token to another expert, which no tolerance covers"
        if chosen := quantiser(trial):
            return f"rounding may choose another code word ({chosen}), which no tolerance covers"
        return None if trial.target == "torch:cpu" else "asked on the CPU; accelerators have cells of each dtype"

    def run(self, trial: Trial) -> Finding:
        """The rule of `numerics.rule` for each type."""
        reference, figures = trial.reference(), Figures()
        for dtype in NARROW:
            wanted = dtype_named(dtype)
            try:
                trial.entering(Stage.REFERENCE)
                own = estimate(trial.module, trial.inputs, dtype, reference=reference, draws=DRAWS)
                trial.entering(Stage.RUN)
                narrow = in_dtype(trial.module, wanted)
                got = flatten(call_seeded(narrow, to_torch(trial.inputs, wanted)))
            except RuntimeError as error:
                if any(refusal in str(error) for refusal in REFUSALS):
                    figures[dtype] = "no kernel"
                    continue
                raise
            trial.entering(Stage.COMPARE)
            compared = judge(reference, own, got, dtype)
            if not agrees(compared):
                own = estimate(trial.module, trial.inputs, dtype, reference=reference, draws=MORE_DRAWS)
                compared = judge(reference, own, got, dtype)
            figures |= {f"{dtype}.relative_rmse": size_of(compared), f"{dtype}.verdict": compared.verdict.value}
            if not agrees(compared):
                if _chooses_others(trial, narrow, wanted):
                    return not_applicable(f"in {dtype}, rounding chose other proposals, which no tolerance covers")
                return failed(f"in {dtype}, {off(compared)}: {compared.outputs[compared.worst].rule}", figures)
        return passed(figures)


def _chooses_others(trial: Trial, narrow: Any, dtype: Any) -> bool:
    with Choices() as wide_choices:
        call(trial, trial.inputs)
    with Choices() as narrow_choices:
        call_seeded(narrow, to_torch(trial.inputs, dtype))
    return bool(narrow_choices.differ(wide_choices))

"""Are the numbers right? The tolerance rule of `numerics.rule`, asked of the recipe's own inputs."""

from __future__ import annotations

from modelmuster.checks.question import Question, failed, not_applicable, passed
from modelmuster.contracts import Inputs, Trial
from modelmuster.numerics.rule import Comparison, Verdict, judge
from modelmuster.records import Finding


class Reference(Question):
    """Compares the run with the float64 reference."""

    name = "reference"
    question = "Do the outputs agree with a float64 run of the same weights and inputs, as far as this dtype allows?"

    def run(self, trial: Trial) -> Finding:
        """The rule itself, for every output; a reference that cannot be computed is nobody's failure."""
        return by_reference(trial)


def by_reference(trial: Trial, inputs: Inputs | None = None) -> Finding:
    """What the target makes of the recipe's inputs, or of others, judged by the float64 run of the same."""
    observed = trial.baseline() if inputs is None else trial.run(inputs)
    compared = judge(trial.reference(inputs), trial.rounding(inputs), observed, trial.dtype)
    figures = compared.figures()
    match compared.verdict:
        case Verdict.PASS:
            return passed(figures)
        case Verdict.UNJUDGED:
            return not_applicable(f"{compared.worst}: {compared.outputs[compared.worst].rule}")
        case _:
            return failed(message(compared), figures)


def message(compared: Comparison) -> str:
    """What is off, by how much, and what was allowed."""
    judged = compared.outputs[compared.worst]
    wrong = sum(other.verdict not in {Verdict.PASS, Verdict.UNJUDGED} for other in compared.outputs.values())
    where = f"{compared.worst} ({wrong} of {len(compared.outputs)} outputs are off)"
    if judged.rmse != judged.rmse:
        return f"{judged.verdict}: {where}: {judged.rule}"
    return (
        f"{judged.verdict}: {where}: relative error {judged.relative_rmse:.1e}, {judged.ratio:.3g} times what "
        f"{compared.dtype} alone causes; allowed by {judged.rule}: {judged.bound:.1e}, found {judged.rmse:.1e}"
    )

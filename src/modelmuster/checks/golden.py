"""Does the model still compute what it computed when a golden pack was recorded?"""

from __future__ import annotations

from modelmuster.checks.question import Figures, Question, failed, not_applicable, passed
from modelmuster.contracts import Trial
from modelmuster.numerics.rule import Verdict, judge
from modelmuster.records import Finding


class GoldenOutputs(Question):
    """Compares the run with outputs that another version of transformers gave for the same weights and inputs."""

    name = "golden"
    question = "Do the weights of a golden pack load, and give the outputs that were recorded with them?"

    def applies(self, trial: Trial) -> str | None:
        """Models from a pack."""
        return None if trial.golden else "no golden pack was given (muster run --golden DIR)"

    def run(self, trial: Trial) -> Finding:
        """The rule of `reference`, with the remembered float64 outputs in the place of the installed version's."""
        golden = trial.golden
        assert golden is not None
        figures: Figures = {"missing_keys": len(golden.missing), "unexpected_keys": len(golden.unexpected)}
        figures |= {f"recorded_with.{name}": version for name, version in golden.versions.items()}
        if golden.missing:
            return failed(f"weights that the recorded checkpoint lacks: {', '.join(golden.missing[:3])}", figures)
        if golden.unexpected:
            return failed(f"weights that the model has no place for: {', '.join(golden.unexpected[:3])}", figures)
        compared = judge(golden.outputs, trial.rounding(), trial.baseline(), trial.dtype)
        figures |= compared.figures()
        if compared.verdict is Verdict.PASS:
            return passed(figures)
        judged = compared.outputs[compared.worst]
        if compared.verdict is Verdict.UNJUDGED:
            return not_applicable(f"{compared.worst}: {judged.rule}")
        with_version = golden.versions.get("transformers", "another version")
        return failed(
            f"{compared.worst} is not what transformers {with_version} computed from the same weights and inputs: "
            f"relative error {judged.relative_rmse:.1e} ({judged.rule})",
            figures,
        )

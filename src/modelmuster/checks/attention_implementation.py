"""Attention is computed in several ways; which one is chosen is a matter of speed, not of results."""

from __future__ import annotations

from modelmuster.checks.differences import same
from modelmuster.checks.live import attention_implementation, outputs
from modelmuster.checks.question import Question, failed, passed
from modelmuster.contracts import Capability, Trial
from modelmuster.numerics.rule import Verdict
from modelmuster.records import Finding


class AttentionImplementation(Question):
    """Runs with eager attention where the model runs fused, and the other way round."""

    name = "attention_implementation"
    question = "Do eager and fused attention (sdpa) give the same outputs?"
    needs = frozenset({Capability.MODULE})

    def applies(self, trial: Trial) -> str | None:
        """Models that offer both."""
        if not getattr(trial.module, "_supports_sdpa", False) or not hasattr(trial.module, "set_attn_implementation"):
            return "the model class offers no fused attention"
        return None

    def run(self, trial: Trial) -> Finding:
        """Twice the rule's tolerance, since both runs round; attention maps themselves are only returned by eager."""
        with attention_implementation(trial.module, "eager"):
            eager = outputs(trial, trial.inputs)
        with attention_implementation(trial.module, "sdpa"):
            fused = outputs(trial, trial.inputs)
        compared = same(trial, {name: output for name, output in eager.items() if name in fused}, fused)
        if compared.verdict in {Verdict.PASS, Verdict.UNJUDGED}:
            return passed(compared.figures())
        judged = compared.outputs[compared.worst]
        return failed(
            f"eager and sdpa disagree: {compared.worst} is off by {judged.relative_rmse:.1e} of its size",
            compared.figures(),
        )

"""Positions that are dropped, or rotary ones that count from the start, are found."""

import models
from modelmuster.checks.position_ids import PositionIds
from modelmuster.records import Outcome


def rotary(change):
    subject = models.llama()
    subject.module.model.rotary_emb.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "position_ids": change(kwargs["position_ids"])}),
        with_kwargs=True,
    )
    return PositionIds().run(models.trial(subject))


def test_healthy_models_pass():
    assert "shift.relative_rmse" in PositionIds().run(models.trial(models.llama())).figures
    finding = PositionIds().run(models.trial(models.bert()))
    assert finding.outcome is Outcome.PASS
    assert "shift.relative_rmse" not in finding.figures


def test_positions_that_are_not_read_fail():
    assert "not read" in rotary(lambda positions: positions * 0).message


def test_rotary_positions_that_are_not_relative_fail():
    assert "though they are rotary" in rotary(lambda positions: positions.float() ** 1.5).message


def test_positions_that_are_counted_from_one_pass_since_only_differences_count():
    assert rotary(lambda positions: positions + 1).outcome is Outcome.PASS

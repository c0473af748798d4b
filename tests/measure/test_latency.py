"""The loop ends when the median is known, when the time is up, and not before a counter could tick."""

import time

from modelmuster.measure import latency


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_a_steady_call_ends_early_with_its_interval_narrow_enough():
    passes = latency.repeat(lambda: spin(0.001), seconds=30, precision=0.5, confidence=0.95)
    assert latency.LEAST_PASSES <= len(passes.durations_ms) <= latency.MOST_PASSES
    assert min(passes.durations_ms) >= 1.0
    assert passes.seconds < 30
    assert passes.warmup == latency.WARMUP_PASSES


def test_a_call_that_takes_longer_than_the_time_still_runs_once_and_ends():
    passes = latency.repeat(lambda: spin(0.05), seconds=0.01, precision=0.01, confidence=0.95)
    assert 1 <= len(passes.durations_ms) < latency.LEAST_PASSES


def test_counters_get_their_time():
    passes = latency.repeat(lambda: spin(0.001), seconds=5, precision=0.9, confidence=0.95, least_seconds=0.2)
    assert passes.seconds >= 0.2


def test_a_second_half_that_is_slower_is_told():
    assert latency.Passes((1.0, 1.0, 1.0, 2.0, 2.0, 2.0), warmup=1, seconds=1.0).drift == 1.0
    assert latency.Passes((1.0,), warmup=1, seconds=1.0).drift == 0.0

-- What a matrix shows, counted: one line for each architecture, column and outcome. Written together with the run, so
-- that overviews of a run with a million results need not join them all.
CREATE TABLE marks (
    run INTEGER NOT NULL,
    model_type VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    scale VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    mock BOOLEAN NOT NULL,
    expected BOOLEAN NOT NULL,
    flaky BOOLEAN NOT NULL,
    device_kind VARCHAR,  -- as the runtime showed it; NULL when nothing ran
    results BIGINT NOT NULL,
    first_cell INTEGER NOT NULL,  -- in the order of the plan; the next three are of its first such result
    cell_id VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    message VARCHAR NOT NULL
);

CREATE VIEW counted_marks AS
SELECT
    run, model_type, family, target, dtype, scale, outcome, mock,
    expected IS NOT NULL AS expected,
    flaky,
    device_kind,
    count(*) AS results,
    min(cell) AS first_cell,
    arg_min(cell_id, (cell, place)) AS cell_id,
    arg_min(check_name, (cell, place)) AS check_name,
    arg_min(message, (cell, place)) AS message
FROM results
GROUP BY ALL;

INSERT INTO marks SELECT * FROM counted_marks;

-- The marks of one run, narrowed; NULL narrows nothing.
CREATE MACRO marks_of(run_key, model_types, families, targets, outcomes) AS TABLE
SELECT * FROM marks
WHERE run = run_key
    AND (model_types IS NULL OR list_contains(model_types, model_type))
    AND (families IS NULL OR list_contains(families, family))
    AND (targets IS NULL OR list_contains(targets, target))
    AND (outcomes IS NULL OR list_contains(outcomes, outcome));

-- Every time and size that was measured of a check, by its name. Mock inference and software that imitates a device
-- yield none, nor does what did not pass.
CREATE VIEW measured AS
SELECT
    results.run, run_id, cell_id, model_type, model_class, family, target, dtype, scale, weights, device_name,
    check_name, started_at, recipe_hash,
    results.duration_ms, results.cpu_ms, results.peak_rss_bytes, figures
FROM results
WHERE outcome = 'pass' AND NOT mock AND device_kind = 'hardware';

-- Everything here is derived from run folders and can be deleted and rebuilt at any time.
-- No table has a key constraint: a run is always deleted and written again as a whole, in one transaction.

-- One row per run folder that was read, with the sizes and times of its files: what tells whether to read it again.
CREATE TABLE folders (
    folder VARCHAR NOT NULL,
    signature VARCHAR NOT NULL,
    run INTEGER  -- NULL when no plan could be read
);

-- What was found in a run folder and could not be used. Nothing is left out without a row here.
CREATE TABLE damages (
    folder VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    line INTEGER,  -- from 1; NULL when it is not about one line
    reason VARCHAR NOT NULL
);

CREATE TABLE runs (
    run INTEGER NOT NULL,  -- short key, changes when the run is read again
    run_id VARCHAR NOT NULL,
    created_at VARCHAR NOT NULL,  -- UTC, ISO 8601
    command VARCHAR NOT NULL,
    last_started_at VARCHAR  -- of the youngest attempt
);

CREATE TABLE unplanned (
    run INTEGER NOT NULL,
    model_type VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

CREATE TABLE environments (
    run INTEGER NOT NULL,
    python VARCHAR NOT NULL,
    platform VARCHAR NOT NULL,
    cpu VARCHAR NOT NULL,
    cores INTEGER NOT NULL,
    memory_bytes BIGINT NOT NULL,
    git_commit VARCHAR,
    hostname VARCHAR NOT NULL
);

CREATE TABLE packages (
    run INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    version VARCHAR  -- NULL when it is missed
);

CREATE TABLE devices (
    run INTEGER NOT NULL,
    target VARCHAR NOT NULL,
    device VARCHAR NOT NULL
);

-- Shared between runs.
CREATE TABLE recipes (
    hash VARCHAR NOT NULL,
    body VARCHAR NOT NULL  -- the whole record as JSON
);

-- The plan.
CREATE TABLE cells (
    run INTEGER NOT NULL,
    cell INTEGER NOT NULL,  -- place in the plan, from 0
    cell_id VARCHAR NOT NULL,
    model_type VARCHAR NOT NULL,
    model_class VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    scale VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    checkpoint VARCHAR,
    target_inference VARCHAR,  -- real or mock, as any attempt on the same target of the run shows; NULL before
    attempts INTEGER NOT NULL,
    decided_by INTEGER  -- entry of the attempt that decides: the last final one
);

CREATE TABLE planned (
    run INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    place INTEGER NOT NULL,  -- of the check in its cell, from 0
    check_name VARCHAR NOT NULL
);

-- The journal: one row per record that could be read.
CREATE TABLE attempts (
    run INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    entry INTEGER NOT NULL,  -- its place in the journal, from 1
    attempt INTEGER NOT NULL,
    final BOOLEAN NOT NULL,
    lost BOOLEAN NOT NULL,
    worker VARCHAR NOT NULL,
    started_at VARCHAR NOT NULL,
    inference VARCHAR NOT NULL,
    weights VARCHAR NOT NULL,
    device VARCHAR NOT NULL,
    device_name VARCHAR,  -- this and the next six are what the runtime showed; NULL when nothing ran
    device_kind VARCHAR,
    precision_seen VARCHAR,
    route VARCHAR,
    nodes_total BIGINT,
    nodes_on_target BIGINT,
    fallbacks VARCHAR[],
    duration_ms DOUBLE,
    cpu_ms DOUBLE,
    peak_rss_bytes BIGINT,
    stages_ms VARCHAR NOT NULL,  -- JSON object
    recipe_hash VARCHAR,
    log_tail VARCHAR NOT NULL
);

-- One row per check of every attempt.
CREATE TABLE answers (
    run INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    place INTEGER NOT NULL,
    outcome VARCHAR NOT NULL,
    stage VARCHAR,
    message VARCHAR NOT NULL,
    figures VARCHAR NOT NULL,  -- JSON object
    error_type VARCHAR,
    error_message VARCHAR,
    traceback VARCHAR,
    fingerprint VARCHAR,
    duration_ms DOUBLE,
    cpu_ms DOUBLE,
    peak_rss_bytes BIGINT,
    expected VARCHAR,
    flaky BOOLEAN NOT NULL
);

-- Every report starts here: the plan, with what came of it. What has no answer is not_run.
CREATE VIEW results AS
SELECT
    runs.run_id,
    cells.cell_id,
    cells.model_type,
    cells.model_class,
    cells.family,
    cells.target,
    cells.dtype,
    cells.scale,
    cells.seed,
    cells.checkpoint,
    cells.target_inference,
    cells.attempts,
    planned.check_name,
    coalesce(answers.outcome, 'not_run') AS outcome,
    answers.stage,
    attempts.inference,
    attempts.weights,
    attempts.device,
    attempts.device_name,
    attempts.device_kind,
    attempts.precision_seen,
    attempts.route,
    attempts.nodes_total,
    attempts.nodes_on_target,
    attempts.fallbacks,
    answers.duration_ms,
    answers.cpu_ms,
    coalesce(answers.peak_rss_bytes, attempts.peak_rss_bytes) AS peak_rss_bytes,  -- of the cell, where a check has none
    CASE
        WHEN answers.outcome IS NOT NULL THEN answers.message
        WHEN attempts.entry IS NOT NULL THEN 'planned, but the attempt that decides does not answer it'
        WHEN cells.attempts > 0 THEN 'planned, but the repetition that was to decide was never reached'
        ELSE 'planned, but never reached'
    END AS message,
    answers.figures,
    answers.error_type,
    answers.error_message,
    answers.traceback,
    -- Equal for findings with the same cause: of the error, else the check with its message without numbers.
    CASE
        WHEN answers.outcome IN ('fail', 'error', 'crash', 'oom', 'timeout') THEN coalesce(
            nullif(answers.fingerprint, ''),
            planned.check_name || ': ' || regexp_replace(answers.message, '[0-9.e+-]*[0-9]', '#', 'g')
        )
    END AS fingerprint,
    answers.expected,
    coalesce(answers.flaky, false) AS flaky,
    attempts.attempt,
    attempts.worker,
    attempts.started_at,
    attempts.recipe_hash,
    -- Nothing is known of the inference before something ran; until then a cell counts as one that was to be real.
    coalesce(attempts.inference, cells.target_inference, 'real') = 'mock' AS mock,
    planned.run,
    planned.cell,
    planned.place
FROM planned
JOIN runs ON runs.run = planned.run
JOIN cells ON cells.run = planned.run AND cells.cell = planned.cell
LEFT JOIN attempts
    ON attempts.run = cells.run AND attempts.cell = cells.cell AND attempts.entry = cells.decided_by
LEFT JOIN answers
    ON answers.run = cells.run AND answers.cell = cells.cell AND answers.entry = cells.decided_by
    AND answers.place = planned.place;

-- Results counted, written together with the run, so that a list of all runs need not join them all.
CREATE TABLE tallies (
    run INTEGER NOT NULL,
    family VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    mock BOOLEAN NOT NULL,
    outcome VARCHAR NOT NULL,
    expected BOOLEAN NOT NULL,
    flaky BOOLEAN NOT NULL,
    results BIGINT NOT NULL
);

-- The results of one run, by its short key, narrowed; NULL narrows nothing.
CREATE MACRO results_of(run_key, model_types, families, targets, checks, outcomes) AS TABLE
SELECT * FROM results
WHERE run = run_key
    AND (model_types IS NULL OR list_contains(model_types, model_type))
    AND (families IS NULL OR list_contains(families, family))
    AND (targets IS NULL OR list_contains(targets, target))
    AND (checks IS NULL OR list_contains(checks, check_name))
    AND (outcomes IS NULL OR list_contains(outcomes, outcome));

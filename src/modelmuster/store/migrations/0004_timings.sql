-- What was measured, and the size of inputs and the attention implementation that a cell asks for.
ALTER TABLE cells ADD COLUMN batch INTEGER;  -- this and the next two are NULL where they are the recipe's own
ALTER TABLE cells ADD COLUMN sequence INTEGER;
ALTER TABLE cells ADD COLUMN attention VARCHAR;

CREATE TABLE timings (
    run INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    entry INTEGER NOT NULL,  -- of the attempt, as in answers
    repeats INTEGER NOT NULL,
    warmup INTEGER NOT NULL,
    covers VARCHAR NOT NULL,
    batch INTEGER,  -- rows of the inputs that really ran; NULL where they cannot be told apart
    tokens BIGINT,
    threads INTEGER NOT NULL,
    first_ms DOUBLE NOT NULL,
    median_ms DOUBLE NOT NULL,
    low_ms DOUBLE,
    high_ms DOUBLE,
    confidence DOUBLE NOT NULL,
    p10_ms DOUBLE,
    p90_ms DOUBLE,
    p99_ms DOUBLE,
    throughput VARCHAR NOT NULL,  -- JSON object, by unit
    export_from_cache BOOLEAN,
    peak_rss_bytes BIGINT,
    model_bytes BIGINT,
    device_bytes BIGINT,
    memory_method VARCHAR NOT NULL,
    energy_mj DOUBLE,
    energy_method VARCHAR NOT NULL,
    deviation DOUBLE,
    noise_floor DOUBLE NOT NULL,
    others_cores DOUBLE NOT NULL,
    stolen DOUBLE NOT NULL,
    virtualised BOOLEAN,
    flags VARCHAR[]
);

-- Every measurement that decides its cell, with what it was of and where it was made. Mock runs have none.
CREATE VIEW timed AS
SELECT
    runs.run_id,
    runs.created_at,
    cells.cell_id,
    cells.model_type,
    cells.model_class,
    cells.family,
    cells.target,
    cells.dtype,
    cells.scale,
    cells.seed,
    cells.checkpoint,
    cells.sequence,
    cells.attention,
    cells.batch AS asked_batch,
    attempts.device_name,
    attempts.device_kind,
    attempts.precision_seen,
    attempts.route,
    attempts.nodes_total,
    attempts.nodes_on_target,
    attempts.fallbacks,
    attempts.stages_ms,
    attempts.recipe_hash,
    attempts.started_at,
    environments.hostname,
    environments.cpu,
    timings.*
FROM timings
JOIN runs USING (run)
JOIN cells ON cells.run = timings.run AND cells.cell = timings.cell AND cells.decided_by = timings.entry
JOIN attempts ON attempts.run = timings.run AND attempts.cell = timings.cell AND attempts.entry = timings.entry
LEFT JOIN environments ON environments.run = timings.run
WHERE attempts.inference = 'real' AND attempts.device_name IS NOT NULL;

-- As before, with what a cell asks for beyond its recipe.
CREATE OR REPLACE VIEW results AS
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
    cells.batch,
    cells.sequence,
    cells.attention,
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

-- As before, and by size of inputs and attention implementation: what was measured of different ones is never one series.
CREATE OR REPLACE VIEW measured AS
SELECT
    results.run, run_id, cell_id, model_type, model_class, family, target, dtype, scale, batch, sequence, attention,
    weights, device_name, check_name, started_at, recipe_hash,
    results.duration_ms, results.cpu_ms, results.peak_rss_bytes, figures
FROM results
WHERE outcome = 'pass' AND NOT mock AND device_kind = 'hardware';

-- The check's name beside its answer: without it, a question about one check has to read the plans of all runs.
ALTER TABLE answers ADD COLUMN check_name VARCHAR;

UPDATE answers SET check_name = planned.check_name
FROM planned
WHERE planned.run = answers.run AND planned.cell = answers.cell AND planned.place = answers.place;

-- As before, but it starts at the answers: what was measured was answered.
CREATE OR REPLACE VIEW measured AS
SELECT
    answers.run,
    runs.run_id,
    cells.cell_id,
    cells.model_type,
    cells.model_class,
    cells.family,
    cells.target,
    cells.dtype,
    cells.scale,
    cells.checkpoint,
    cells.batch,
    cells.sequence,
    cells.attention,
    CAST(NULL AS INTEGER) AS threads,  -- the limit of a check's cell is the same for all
    attempts.weights,
    attempts.device_name,
    answers.check_name,
    attempts.started_at,
    attempts.recipe_hash,
    answers.duration_ms,
    answers.cpu_ms,
    coalesce(answers.peak_rss_bytes, attempts.peak_rss_bytes) AS peak_rss_bytes,
    answers.figures
FROM answers
JOIN runs ON runs.run = answers.run
JOIN cells ON cells.run = answers.run AND cells.cell = answers.cell AND cells.decided_by = answers.entry
JOIN attempts ON attempts.run = answers.run AND attempts.cell = answers.cell AND attempts.entry = answers.entry
WHERE answers.outcome = 'pass' AND attempts.inference <> 'mock' AND attempts.device_kind = 'hardware';

-- What `muster measure` found, in the columns of `measured`. There the check's own time says nothing: it is as long as
-- the measurement was told to be.
CREATE VIEW passes AS
SELECT
    timed.run,
    timed.run_id,
    timed.cell_id,
    timed.model_type,
    timed.model_class,
    timed.family,
    timed.target,
    timed.dtype,
    timed.scale,
    timed.checkpoint,
    timed.asked_batch AS batch,
    timed.sequence,
    timed.attention,
    timed.threads,
    attempts.weights,
    timed.device_name,
    'measure' AS check_name,
    timed.started_at,
    timed.recipe_hash,
    timed.median_ms,
    timed.p90_ms,
    timed.first_ms,
    timed.model_bytes
FROM timed
JOIN attempts ON attempts.run = timed.run AND attempts.cell = timed.cell AND attempts.entry = timed.entry
WHERE timed.device_kind = 'hardware';

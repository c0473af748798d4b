-- What was counted at the device's own interfaces, independently of the runtime: a JSON object, by name.
ALTER TABLE attempts ADD COLUMN counts VARCHAR;

-- An operator that ran elsewhere, without how many nodes of one graph did.
CREATE MACRO operator_of(fallback) AS regexp_replace(fallback, ' ×[0-9]+$', '');

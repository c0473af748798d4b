-- A figure of a check by its name, where it is a number.
CREATE MACRO figure_of(figures, name) AS TRY_CAST(json_extract(figures, '$."' || replace(name, '"', '') || '"') AS DOUBLE);

WITH changes AS (
  SELECT
    theme,
    anc AS node,
    EXPLODE(
      CASE
        WHEN GREATEST(from_m, 24216) < LEAST(to_m, 24333)
        THEN SEQUENCE(GREATEST(from_m, 24216), LEAST(to_m, 24333) - 1)
        ELSE ARRAY()
      END
    ) AS month_no,
    rec_from AS batch_seq,
    1 AS d
  FROM population
  WHERE
    owes OR depth = 0
  UNION ALL
  SELECT
    theme,
    anc,
    EXPLODE(
      CASE
        WHEN GREATEST(from_m, 24216) < LEAST(to_m, 24333)
        THEN SEQUENCE(GREATEST(from_m, 24216), LEAST(to_m, 24333) - 1)
        ELSE ARRAY()
      END
    ) AS month_no,
    rec_to,
    -1
  FROM population
  WHERE
    (
      owes OR depth = 0
    ) AND rec_to < 2147483647
)
SELECT
  `node`,
  `month_no`,
  `batch_seq`,
  `due_cost`,
  `due_vehicle`,
  `due_space`,
  `due_energy`,
  `due_service`
FROM (
  SELECT
    node,
    month_no,
    batch_seq,
    CAST(SUM(d) FILTER(WHERE
      theme = 'cost') AS BIGINT) AS `due_cost`,
    CAST(SUM(d) FILTER(WHERE
      theme = 'vehicle') AS BIGINT) AS `due_vehicle`,
    CAST(SUM(d) FILTER(WHERE
      theme = 'space') AS BIGINT) AS `due_space`,
    CAST(SUM(d) FILTER(WHERE
      theme = 'energy') AS BIGINT) AS `due_energy`,
    CAST(SUM(d) FILTER(WHERE
      theme = 'service') AS BIGINT) AS `due_service`
  FROM changes
  GROUP BY
    node,
    month_no,
    batch_seq
  HAVING
    SUM(d) <> 0 OR COUNT(DISTINCT theme) > 1
)
ORDER BY
  node NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

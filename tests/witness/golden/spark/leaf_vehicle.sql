WITH folded AS (
  SELECT
    unit,
    from_m,
    to_m,
    rec_from,
    rec_to,
    `veh_class` AS `veh_class`,
    SUM(
      CASE
        WHEN `status` IN ('in_use', 'sealed')
        THEN CASE WHEN sign > 0 THEN 1 ELSE -(
          1
        ) END
      END
    ) AS `cars`,
    SUM(sign) AS n
  FROM `rows_vehicle`
  GROUP BY ALL
), changes AS (
  SELECT
    unit,
    EXPLODE(
      CASE
        WHEN GREATEST(from_m, 24216) < LEAST(to_m, 24333)
        THEN SEQUENCE(GREATEST(from_m, 24216), LEAST(to_m, 24333) - 1)
        ELSE ARRAY()
      END
    ) AS month_no,
    rec_from AS batch_seq,
    `veh_class`,
    `cars`,
    `n`
  FROM folded
  UNION ALL
  SELECT
    unit,
    EXPLODE(
      CASE
        WHEN GREATEST(from_m, 24216) < LEAST(to_m, 24333)
        THEN SEQUENCE(GREATEST(from_m, 24216), LEAST(to_m, 24333) - 1)
        ELSE ARRAY()
      END
    ) AS month_no,
    rec_to,
    `veh_class`,
    -`cars` AS `cars`,
    -`n` AS `n`
  FROM folded
  WHERE
    rec_to < 2147483647
)
SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  `veh_class`,
  CAST(`cars` AS BIGINT) AS `cars`,
  CAST(`n` AS BIGINT) AS `n`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    SUM(`cars`) AS `cars`,
    SUM(`n`) AS `n`
  FROM changes
  GROUP BY
    unit,
    month_no,
    batch_seq,
    `veh_class`
  HAVING
    COALESCE(SUM(`cars`), 0) <> 0 OR COALESCE(SUM(`n`), 0) <> 0
)
ORDER BY
  unit NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

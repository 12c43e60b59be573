WITH folded AS (
  SELECT
    unit,
    from_m,
    to_m,
    rec_from,
    rec_to,
    `item_code` AS `item_code`,
    SUM(
      CASE
        WHEN `expense_item__in_operating_cost`
        THEN CASE WHEN sign > 0 THEN `amount` ELSE -(
          `amount`
        ) END
      END
    ) AS `cost`,
    SUM(sign) AS n
  FROM `rows_payment`
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
    `item_code`,
    `cost`,
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
    `item_code`,
    -`cost` AS `cost`,
    -`n` AS `n`
  FROM folded
  WHERE
    rec_to < 2147483647
)
SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  `item_code`,
  `cost`,
  CAST(`n` AS BIGINT) AS `n`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    `item_code`,
    SUM(`cost`) AS `cost`,
    SUM(`n`) AS `n`
  FROM changes
  GROUP BY
    unit,
    month_no,
    batch_seq,
    `item_code`
  HAVING
    COALESCE(SUM(`cost`), 0) <> 0 OR COALESCE(SUM(`n`), 0) <> 0
)
ORDER BY
  unit NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

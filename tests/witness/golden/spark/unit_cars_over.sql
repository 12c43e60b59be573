SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  CAST(`cars_over` AS BIGINT) AS `cars_over`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    SUM(`cars_over`) AS `cars_over`
  FROM `leaf_cars_over`
  GROUP BY
    unit,
    month_no,
    batch_seq
)
ORDER BY
  unit NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

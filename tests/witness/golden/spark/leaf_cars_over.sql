SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  `veh_class`,
  `cars_over`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    `cars_over`
  FROM moved
  WHERE
    `cars_over` <> 0
)
ORDER BY
  unit NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

WITH carried AS (
  SELECT
    k.anc AS node,
    u.month_no AS `month_no`,
    GREATEST(u.batch_seq, k.rec_from) AS batch_seq,
    u.`cars_over` AS `cars_over`
  FROM `unit_cars_over` AS u
  JOIN population AS k
    ON k.theme = 'vehicle'
    AND k.dsc = u.unit
    AND u.month_no >= k.from_m
    AND u.month_no < k.to_m
    AND GREATEST(u.batch_seq, k.rec_from) < k.rec_to
  UNION ALL
  SELECT
    k.anc AS `anc`,
    u.month_no AS `month_no`,
    k.rec_to AS `rec_to`,
    -(
      u.`cars_over`
    )
  FROM `unit_cars_over` AS u
  JOIN population AS k
    ON k.theme = 'vehicle'
    AND k.dsc = u.unit
    AND u.month_no >= k.from_m
    AND u.month_no < k.to_m
    AND GREATEST(u.batch_seq, k.rec_from) < k.rec_to
    AND k.rec_to < 2147483647
)
SELECT
  `node`,
  `month_no`,
  `batch_seq`,
  CAST(`cars_over` AS BIGINT) AS `cars_over`
FROM (
  SELECT
    node,
    month_no,
    batch_seq,
    SUM(`cars_over`) AS `cars_over`
  FROM carried
  GROUP BY
    node,
    month_no,
    batch_seq
  HAVING
    COALESCE(SUM(`cars_over`), 0) <> 0
)
ORDER BY
  node NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

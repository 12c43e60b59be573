WITH carried AS (
  SELECT
    k.anc AS node,
    u.month_no AS `month_no`,
    GREATEST(u.batch_seq, k.rec_from) AS batch_seq,
    u.`cost` AS `cost`,
    CASE WHEN k.owes OR k.depth = 0 THEN u.got ELSE 0 END AS `got`
  FROM `unit_payment` AS u
  JOIN population AS k
    ON k.theme = 'cost'
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
      u.`cost`
    ),
    -(
      CASE WHEN k.owes OR k.depth = 0 THEN u.got ELSE 0 END
    )
  FROM `unit_payment` AS u
  JOIN population AS k
    ON k.theme = 'cost'
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
  `cost`,
  CAST(`got` AS BIGINT) AS `got`
FROM (
  SELECT
    node,
    month_no,
    batch_seq,
    SUM(`cost`) AS `cost`,
    SUM(`got`) AS `got`
  FROM carried
  GROUP BY
    node,
    month_no,
    batch_seq
  HAVING
    COALESCE(SUM(`cost`), 0) <> 0 OR COALESCE(SUM(`got`), 0) <> 0
)
ORDER BY
  node NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

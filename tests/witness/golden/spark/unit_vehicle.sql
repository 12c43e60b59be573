WITH folded AS (
  SELECT
    unit,
    month_no,
    batch_seq,
    SUM(n) AS n
  FROM (
    SELECT
      unit,
      month_no,
      batch_seq,
      n
    FROM `leaf_vehicle`
  )
  GROUP BY ALL
), rowed AS (
  SELECT
    `folded`.`unit` AS `unit`,
    `folded`.`month_no` AS `month_no`,
    `folded`.`batch_seq` AS `batch_seq`,
    `folded`.`n` AS `n`,
    SUM(n) OVER (PARTITION BY unit, month_no ORDER BY batch_seq NULLS LAST) AS rows_now
  FROM folded
), own AS (
  SELECT
    `rowed`.`unit` AS `unit`,
    `rowed`.`month_no` AS `month_no`,
    `rowed`.`batch_seq` AS `batch_seq`,
    `rowed`.`n` AS `n`,
    `rowed`.`rows_now` AS `rows_now`
  FROM rowed
), named AS (
  SELECT
    month_no,
    batch_seq,
    SUM(turned) OVER (PARTITION BY month_no ORDER BY batch_seq NULLS LAST) AS units
  FROM (
    SELECT
      month_no,
      batch_seq,
      SUM(CAST((
        rows_now > 0
      ) AS INT) - CAST((
        rows_now - n > 0
      ) AS INT)) AS turned
    FROM rowed
    GROUP BY ALL
  )
), said AS (
  SELECT
    `named`.`month_no` AS `month_no`,
    `named`.`batch_seq` AS `batch_seq`,
    `named`.`units` AS `units`,
    FALSE AS is_said
  FROM named
), usual AS (
  SELECT
    a.month_no AS `month_no`,
    a.batch_seq AS `batch_seq`,
    a.units AS `units`,
    a.is_said AS `is_said`,
    MAX(x.units) AS most
  FROM (
    SELECT
      `said`.`month_no` AS `month_no`,
      `said`.`batch_seq` AS `batch_seq`,
      `said`.`units` AS `units`,
      `said`.`is_said` AS `is_said`,
      EXPLODE(CASE WHEN 1 < 13 THEN SEQUENCE(1, 13 - 1) ELSE ARRAY() END) AS back
    FROM said
  ) AS a
  ASOF LEFT JOIN named AS x
    ON x.month_no = a.month_no - a.back AND a.batch_seq >= x.batch_seq
  GROUP BY ALL
), spoken AS (
  SELECT
    month_no,
    batch_seq,
    LEAD(batch_seq) OVER (PARTITION BY month_no ORDER BY batch_seq NULLS LAST) AS until,
    (
      units > 0 OR is_said
    )
    AND (
      most IS NULL OR GREATEST(units, 1) * 8 >= most
    ) AS for_all
  FROM usual
), alone AS (
  SELECT
    u.unit AS `unit`,
    s.month_no AS `month_no`,
    s.batch_seq AS `batch_seq`,
    s.until AS `until`,
    CAST((
      NOT s.for_all AND COALESCE(o.rows_now, 0) > 0
    ) AS INT) AS has
  FROM spoken AS s
  JOIN (
    SELECT DISTINCT
      unit,
      month_no
    FROM own
    WHERE
      month_no IN (
        SELECT
          month_no
        FROM spoken
        WHERE
          NOT for_all
      )
  ) AS u
    ON u.month_no = s.month_no
  ASOF LEFT JOIN own AS o
    ON o.unit = u.unit AND o.month_no = s.month_no AND s.batch_seq >= o.batch_seq
), turns AS (
  SELECT
    month_no,
    batch_seq,
    CAST(for_all AS INT) - LAG(CAST(for_all AS INT), 1, 0) OVER (PARTITION BY month_no ORDER BY batch_seq NULLS LAST) AS got
  FROM spoken
), reports AS (
  SELECT
    m.unit AS `unit`,
    t.month_no AS `month_no`,
    t.batch_seq AS `batch_seq`,
    t.got AS `got`
  FROM turns AS t
  JOIN (
    SELECT DISTINCT
      dsc AS unit
    FROM population
    WHERE
      theme = 'vehicle'
  ) AS m
    ON t.got <> 0
  UNION ALL
  SELECT
    unit,
    month_no,
    batch_seq,
    has - LAG(has, 1, 0) OVER (PARTITION BY unit, month_no ORDER BY batch_seq NULLS LAST)
  FROM alone
), merged AS (
  SELECT
    unit,
    month_no,
    batch_seq,
    `cars`,
    0 AS got
  FROM `leaf_vehicle`
  UNION ALL
  SELECT
    unit,
    month_no,
    batch_seq,
    NULL AS `cars`,
    got
  FROM reports
  WHERE
    got <> 0
)
SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  CAST(`cars` AS BIGINT) AS `cars`,
  CAST(`got` AS BIGINT) AS `got`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    SUM(`cars`) AS `cars`,
    SUM(got) AS got
  FROM merged
  GROUP BY
    unit,
    month_no,
    batch_seq
)
ORDER BY
  unit NULLS LAST,
  month_no NULLS LAST,
  batch_seq NULLS LAST

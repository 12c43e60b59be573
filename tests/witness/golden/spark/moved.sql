WITH changes AS (
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
    v AS `cars`,
    c AS `cars#`,
    NULL AS `quota`,
    NULL AS `quota#`
  FROM (
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
      ) AS v,
      SUM(
        CASE
          WHEN NOT (
            CASE
              WHEN `status` IN ('in_use', 'sealed')
              THEN CASE WHEN sign > 0 THEN 1 ELSE -(
                1
              ) END
            END
          ) IS NULL
          THEN sign
        END
      ) AS c
    FROM `rows_vehicle`
    GROUP BY ALL
  )
  WHERE
    NOT c IS NULL AND NOT `veh_class` IS NULL
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
    rec_to AS batch_seq,
    `veh_class`,
    -v AS `cars`,
    -c AS `cars#`,
    NULL AS `quota`,
    NULL AS `quota#`
  FROM (
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
      ) AS v,
      SUM(
        CASE
          WHEN NOT (
            CASE
              WHEN `status` IN ('in_use', 'sealed')
              THEN CASE WHEN sign > 0 THEN 1 ELSE -(
                1
              ) END
            END
          ) IS NULL
          THEN sign
        END
      ) AS c
    FROM `rows_vehicle`
    GROUP BY ALL
  )
  WHERE
    rec_to < 2147483647 AND NOT c IS NULL AND NOT `veh_class` IS NULL
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
    rec_from AS batch_seq,
    `veh_class`,
    NULL AS `cars`,
    NULL AS `cars#`,
    v AS `quota`,
    c AS `quota#`
  FROM (
    SELECT
      unit,
      from_m,
      to_m,
      rec_from,
      rec_to,
      `veh_class` AS `veh_class`,
      SUM(CASE WHEN sign > 0 THEN `quota` ELSE -(
        `quota`
      ) END) AS v,
      SUM(
        CASE
          WHEN NOT (
            CASE WHEN sign > 0 THEN `quota` ELSE -(
              `quota`
            ) END
          ) IS NULL
          THEN sign
        END
      ) AS c
    FROM `rows_vehicle_quota`
    GROUP BY ALL
  )
  WHERE
    NOT c IS NULL AND NOT `veh_class` IS NULL
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
    rec_to AS batch_seq,
    `veh_class`,
    NULL AS `cars`,
    NULL AS `cars#`,
    -v AS `quota`,
    -c AS `quota#`
  FROM (
    SELECT
      unit,
      from_m,
      to_m,
      rec_from,
      rec_to,
      `veh_class` AS `veh_class`,
      SUM(CASE WHEN sign > 0 THEN `quota` ELSE -(
        `quota`
      ) END) AS v,
      SUM(
        CASE
          WHEN NOT (
            CASE WHEN sign > 0 THEN `quota` ELSE -(
              `quota`
            ) END
          ) IS NULL
          THEN sign
        END
      ) AS c
    FROM `rows_vehicle_quota`
    GROUP BY ALL
  )
  WHERE
    rec_to < 2147483647 AND NOT c IS NULL AND NOT `veh_class` IS NULL
), touched AS (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    SUM(`cars`) AS `cars`,
    SUM(`cars#`) AS `cars#`,
    SUM(`quota`) AS `quota`,
    SUM(`quota#`) AS `quota#`
  FROM changes
  GROUP BY
    unit,
    month_no,
    batch_seq,
    `veh_class`
), known AS (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    SUM(`cars`) OVER cell AS `cars`,
    SUM(`cars#`) OVER cell AS `cars#`,
    SUM(`quota`) OVER cell AS `quota`,
    SUM(`quota#`) OVER cell AS `quota#`
  FROM touched
  WINDOW cell AS (
    PARTITION BY unit, month_no, `veh_class`
    ORDER BY batch_seq NULLS LAST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), valued AS (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    COALESCE(
      CASE
        WHEN `cars#` > 0
        THEN GREATEST(`cars` - CASE WHEN `quota#` > 0 THEN `quota` ELSE 0 END, 0)
      END,
      0
    ) AS `cars_over`
  FROM known
)
SELECT
  `unit`,
  `month_no`,
  `batch_seq`,
  `veh_class`,
  CAST(`cars_over` AS BIGINT) AS `cars_over`
FROM (
  SELECT
    unit,
    month_no,
    batch_seq,
    `veh_class`,
    `cars_over` - LAG(`cars_over`, 1, 0) OVER cell AS `cars_over`
  FROM valued
  WINDOW cell AS (PARTITION BY unit, month_no, `veh_class` ORDER BY batch_seq NULLS LAST)
)

WITH wide AS (
  SELECT
    s.node AS `node`,
    s.month_no AS `month_no`,
    `cost@payment`,
    `cars@vehicle`,
    `quota@vehicle_quota`,
    `cars_over@cars_over`,
    `got_payment`,
    `got_vehicle`,
    `got_vehicle_quota`,
    `due_cost`,
    `due_vehicle`,
    `due_space`,
    `due_energy`,
    `due_service`
  FROM (
    SELECT
      node,
      month_no
    FROM `node_payment`
    WHERE
      TRUE AND TRUE
    UNION
    SELECT
      node,
      month_no
    FROM `node_vehicle`
    WHERE
      TRUE AND TRUE
    UNION
    SELECT
      node,
      month_no
    FROM `node_vehicle_quota`
    WHERE
      TRUE AND TRUE
    UNION
    SELECT
      node,
      month_no
    FROM `node_cars_over`
    WHERE
      TRUE AND TRUE
    UNION
    SELECT
      node,
      month_no
    FROM `node_due`
    WHERE
      TRUE AND TRUE
  ) AS s
  LEFT JOIN (
    SELECT
      node,
      month_no,
      SUM(`cost`) AS `cost@payment`,
      CAST(SUM(got) AS BIGINT) AS `got_payment`
    FROM `node_payment`
    WHERE
      TRUE AND TRUE
    GROUP BY ALL
  ) AS `j_payment`
    ON `j_payment`.node = s.node AND `j_payment`.month_no = s.month_no
  LEFT JOIN (
    SELECT
      node,
      month_no,
      SUM(`cars`) AS `cars@vehicle`,
      CAST(SUM(got) AS BIGINT) AS `got_vehicle`
    FROM `node_vehicle`
    WHERE
      TRUE AND TRUE
    GROUP BY ALL
  ) AS `j_vehicle`
    ON `j_vehicle`.node = s.node AND `j_vehicle`.month_no = s.month_no
  LEFT JOIN (
    SELECT
      node,
      month_no,
      SUM(`quota`) AS `quota@vehicle_quota`,
      CAST(SUM(got) AS BIGINT) AS `got_vehicle_quota`
    FROM `node_vehicle_quota`
    WHERE
      TRUE AND TRUE
    GROUP BY ALL
  ) AS `j_vehicle_quota`
    ON `j_vehicle_quota`.node = s.node AND `j_vehicle_quota`.month_no = s.month_no
  LEFT JOIN (
    SELECT
      node,
      month_no,
      SUM(`cars_over`) AS `cars_over@cars_over`
    FROM `node_cars_over`
    WHERE
      TRUE AND TRUE
    GROUP BY ALL
  ) AS `j_cars_over`
    ON `j_cars_over`.node = s.node AND `j_cars_over`.month_no = s.month_no
  LEFT JOIN (
    SELECT
      node,
      month_no,
      CAST(SUM(`due_cost`) AS BIGINT) AS `due_cost`,
      CAST(SUM(`due_vehicle`) AS BIGINT) AS `due_vehicle`,
      CAST(SUM(`due_space`) AS BIGINT) AS `due_space`,
      CAST(SUM(`due_energy`) AS BIGINT) AS `due_energy`,
      CAST(SUM(`due_service`) AS BIGINT) AS `due_service`
    FROM `node_due`
    WHERE
      TRUE AND TRUE
    GROUP BY ALL
  ) AS `j_due`
    ON `j_due`.node = s.node AND `j_due`.month_no = s.month_no
)
SELECT
  `node`,
  `month_no`,
  `cost`,
  CAST(`cars` AS BIGINT) AS `cars`,
  CAST(`quota` AS BIGINT) AS `quota`,
  CAST(`cars_over` AS BIGINT) AS `cars_over`,
  `got_payment`,
  `got_vehicle`,
  `got_vehicle_quota`,
  `due_cost`,
  `due_vehicle`,
  `due_space`,
  `due_energy`,
  `due_service`
FROM (
  SELECT
    node,
    month_no,
    CASE WHEN `got_payment` > 0 THEN COALESCE(`cost@payment`, 0) END AS `cost`,
    CASE WHEN `got_vehicle` > 0 THEN COALESCE(`cars@vehicle`, 0) END AS `cars`,
    CASE WHEN `got_vehicle_quota` > 0 THEN COALESCE(`quota@vehicle_quota`, 0) END AS `quota`,
    CASE WHEN `got_vehicle` > 0 THEN COALESCE(`cars_over@cars_over`, 0) END AS `cars_over`,
    COALESCE(`got_payment`, 0) AS `got_payment`,
    COALESCE(`got_vehicle`, 0) AS `got_vehicle`,
    COALESCE(`got_vehicle_quota`, 0) AS `got_vehicle_quota`,
    CAST(COALESCE(`due_cost`, 0) AS BIGINT) AS `due_cost`,
    CAST(COALESCE(`due_vehicle`, 0) AS BIGINT) AS `due_vehicle`,
    CAST(COALESCE(`due_space`, 0) AS BIGINT) AS `due_space`,
    CAST(COALESCE(`due_energy`, 0) AS BIGINT) AS `due_energy`,
    CAST(COALESCE(`due_service`, 0) AS BIGINT) AS `due_service`
  FROM wide
)
ORDER BY
  node NULLS LAST,
  month_no NULLS LAST

WITH parts AS (
  SELECT
    node,
    month_no,
    SUM(`cost`) AS `cost@payment`,
    CAST(SUM(got) AS BIGINT) AS `got_payment`,
    NULL AS `cars@vehicle`,
    NULL AS `got_vehicle`,
    NULL AS `quota@vehicle_quota`,
    NULL AS `got_vehicle_quota`,
    NULL AS `cars_over@cars_over`,
    NULL AS `due_cost`,
    NULL AS `due_vehicle`,
    NULL AS `due_space`,
    NULL AS `due_energy`,
    NULL AS `due_service`
  FROM `node_payment`
  GROUP BY ALL
  UNION ALL
  SELECT
    node,
    month_no,
    NULL AS `cost@payment`,
    NULL AS `got_payment`,
    SUM(`cars`) AS `cars@vehicle`,
    CAST(SUM(got) AS BIGINT) AS `got_vehicle`,
    NULL AS `quota@vehicle_quota`,
    NULL AS `got_vehicle_quota`,
    NULL AS `cars_over@cars_over`,
    NULL AS `due_cost`,
    NULL AS `due_vehicle`,
    NULL AS `due_space`,
    NULL AS `due_energy`,
    NULL AS `due_service`
  FROM `node_vehicle`
  GROUP BY ALL
  UNION ALL
  SELECT
    node,
    month_no,
    NULL AS `cost@payment`,
    NULL AS `got_payment`,
    NULL AS `cars@vehicle`,
    NULL AS `got_vehicle`,
    SUM(`quota`) AS `quota@vehicle_quota`,
    CAST(SUM(got) AS BIGINT) AS `got_vehicle_quota`,
    NULL AS `cars_over@cars_over`,
    NULL AS `due_cost`,
    NULL AS `due_vehicle`,
    NULL AS `due_space`,
    NULL AS `due_energy`,
    NULL AS `due_service`
  FROM `node_vehicle_quota`
  GROUP BY ALL
  UNION ALL
  SELECT
    node,
    month_no,
    NULL AS `cost@payment`,
    NULL AS `got_payment`,
    NULL AS `cars@vehicle`,
    NULL AS `got_vehicle`,
    NULL AS `quota@vehicle_quota`,
    NULL AS `got_vehicle_quota`,
    SUM(`cars_over`) AS `cars_over@cars_over`,
    NULL AS `due_cost`,
    NULL AS `due_vehicle`,
    NULL AS `due_space`,
    NULL AS `due_energy`,
    NULL AS `due_service`
  FROM `node_cars_over`
  GROUP BY ALL
  UNION ALL
  SELECT
    node,
    month_no,
    NULL AS `cost@payment`,
    NULL AS `got_payment`,
    NULL AS `cars@vehicle`,
    NULL AS `got_vehicle`,
    NULL AS `quota@vehicle_quota`,
    NULL AS `got_vehicle_quota`,
    NULL AS `cars_over@cars_over`,
    CAST(SUM(`due_cost`) AS BIGINT) AS `due_cost`,
    CAST(SUM(`due_vehicle`) AS BIGINT) AS `due_vehicle`,
    CAST(SUM(`due_space`) AS BIGINT) AS `due_space`,
    CAST(SUM(`due_energy`) AS BIGINT) AS `due_energy`,
    CAST(SUM(`due_service`) AS BIGINT) AS `due_service`
  FROM node_due
  GROUP BY ALL
), wide AS (
  SELECT
    node,
    month_no,
    SUM(`cost@payment`) AS `cost@payment`,
    SUM(`cars@vehicle`) AS `cars@vehicle`,
    SUM(`quota@vehicle_quota`) AS `quota@vehicle_quota`,
    SUM(`cars_over@cars_over`) AS `cars_over@cars_over`,
    SUM(`got_payment`) AS `got_payment`,
    SUM(`got_vehicle`) AS `got_vehicle`,
    SUM(`got_vehicle_quota`) AS `got_vehicle_quota`,
    SUM(`due_cost`) AS `due_cost`,
    SUM(`due_vehicle`) AS `due_vehicle`,
    SUM(`due_space`) AS `due_space`,
    SUM(`due_energy`) AS `due_energy`,
    SUM(`due_service`) AS `due_service`
  FROM parts
  GROUP BY
    node,
    month_no
)
SELECT
  `node`,
  `month_no`,
  `cost`,
  CAST(`cars` AS BIGINT) AS `cars`,
  CAST(`quota` AS BIGINT) AS `quota`,
  CAST(`cars_over` AS BIGINT) AS `cars_over`,
  CAST(`got_payment` AS BIGINT) AS `got_payment`,
  CAST(`got_vehicle` AS BIGINT) AS `got_vehicle`,
  CAST(`got_vehicle_quota` AS BIGINT) AS `got_vehicle_quota`,
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

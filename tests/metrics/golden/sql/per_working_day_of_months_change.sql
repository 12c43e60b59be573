SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o12."due_cost" AS "due_cost_12",
  o12."got_ledger" AS "got_ledger_12",
  ((CAST(o0."cost" AS DOUBLE) / NULLIF(CAST($workdays[o0.month_no - $first + 1] AS DOUBLE), 0)) - (CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0))) / CASE WHEN (CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0)) > 0 THEN (CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0)) END * 100.0 AS "per_workday_yoy.value",
  ((CAST(o0."cost" AS DOUBLE) / NULLIF(CAST($workdays[o0.month_no - $first + 1] AS DOUBLE), 0)) - (CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0))) AS "per_workday_yoy.numerator",
  (CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0)) AS "per_workday_yoy.denominator",
  (CAST(o0."cost" AS DOUBLE) / NULLIF(CAST($workdays[o0.month_no - $first + 1] AS DOUBLE), 0)) AS "per_workday_yoy.current"
FROM node_now o0
LEFT JOIN node_now o12 ON o12."node" = o0."node" AND o12.month_no = o0.month_no - 12
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last

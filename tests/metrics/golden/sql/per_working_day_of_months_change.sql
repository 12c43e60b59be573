WITH
-- what the formulas read, with the ratios that are held against each other
"sides" AS (
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o12."due_cost" AS "due_cost_12",
  o12."got_ledger" AS "got_ledger_12",
  CAST(o0."cost" AS DOUBLE) / NULLIF(CAST($workdays[o0.month_no - $first + 1] AS DOUBLE), 0) AS "cost / workdays",
  CAST(o12."cost" AS DOUBLE) / NULLIF(CAST($workdays_12[o0.month_no - $first + 1] AS DOUBLE), 0) AS "cost_12 / workdays_12"
FROM node_now o0
LEFT JOIN node_now o12 ON o12."node" = o0."node" AND o12.month_no = o0.month_no - 12
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last
)
SELECT
  s."node", s.w,
  s."due_cost" AS "due_cost",
  s."got_ledger" AS "got_ledger",
  s."due_cost_12" AS "due_cost_12",
  s."got_ledger_12" AS "got_ledger_12",
  (s."cost / workdays" - s."cost_12 / workdays_12") / CASE WHEN s."cost_12 / workdays_12" > 0 THEN s."cost_12 / workdays_12" END * 100.0 AS "per_workday_yoy.value",
  (s."cost / workdays" - s."cost_12 / workdays_12") AS "per_workday_yoy.numerator",
  s."cost_12 / workdays_12" AS "per_workday_yoy.denominator",
  s."cost / workdays" AS "per_workday_yoy.current"
FROM sides s

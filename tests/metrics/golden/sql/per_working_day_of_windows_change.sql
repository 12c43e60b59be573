WITH
-- operands of each window
"operands" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost", $workdays[c.w + 1] AS "workdays", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger"
FROM (
  SELECT c."node", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM node_now c
  WHERE c.node IN (SELECT unnest($nodes)) AND c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c.w
),
-- operands of each window, 12 months earlier
"operands_12" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost_12", $workdays_12[c.w + 1] AS "workdays_12", sum(c."due_cost") AS "due_cost_12", sum(c."got_ledger") AS "got_ledger_12"
FROM (
  SELECT c."node", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no + 12 - $first + 1]) AS w
  FROM node_now c
  WHERE c.node IN (SELECT unnest($nodes)) AND c.month_no >= $first - 12 AND c.month_no < $last - 12
) c
GROUP BY c."node", c.w
),
-- what the formulas read, with the ratios that are held against each other
"sides" AS (
SELECT
  o0."node", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o12."due_cost_12" AS "due_cost_12",
  o12."got_ledger_12" AS "got_ledger_12",
  CAST(o0."cost" AS DOUBLE) / NULLIF(CAST(o0."workdays" AS DOUBLE), 0) AS "cost / workdays",
  CAST(o12."cost_12" AS DOUBLE) / NULLIF(CAST(o12."workdays_12" AS DOUBLE), 0) AS "cost_12 / workdays_12"
FROM operands o0
LEFT JOIN operands_12 o12 ON o12."node" = o0."node" AND o12.w = o0.w
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

WITH
-- current figures of the window and of the earlier ones it is held against
"cells" AS (
SELECT n.node, n.month_no, n."months", n."cost", n."heads_avg", n."heads_avg_months", n."due_cost", n."got_ledger", n."got_staff"
FROM snap_ytd n
WHERE n.node = $nodes AND n.month_no IN ($last - 1, $last - 13)
),
-- what the formulas read, with the ratios that are held against each other
"sides" AS (
SELECT
  o0."node", 0 AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o12."due_cost" AS "due_cost_12",
  o12."got_ledger" AS "got_ledger_12",
  o0."got_staff" AS "got_staff",
  o12."got_staff" AS "got_staff_12",
  o0."heads_avg_months" AS "heads_avg_months",
  o12."heads_avg_months" AS "heads_avg_12_months",
  o0."cost" AS "cost",
  o12."cost" AS "cost_12",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / NULLIF(CAST(o0."heads_avg" AS DOUBLE), 0) AS "cost / heads_avg",
  CAST(o12."cost" * o12."heads_avg_months" AS DOUBLE) / NULLIF(CAST(o12."heads_avg" AS DOUBLE), 0) AS "cost_12 / heads_avg_12"
FROM cells o0
LEFT JOIN cells o12 ON o12."node" = o0."node" AND o12.month_no = o0.month_no - 12
WHERE o0.month_no = $last - 1
)
SELECT
  s."node", s.w,
  s."due_cost" AS "due_cost",
  s."got_ledger" AS "got_ledger",
  s."due_cost_12" AS "due_cost_12",
  s."got_ledger_12" AS "got_ledger_12",
  s."got_staff" AS "got_staff",
  s."got_staff_12" AS "got_staff_12",
  s."heads_avg_months" AS "heads_avg_months",
  s."heads_avg_12_months" AS "heads_avg_12_months",
  CAST(s."cost" - (s."cost_12") AS DOUBLE) / CASE WHEN CAST(s."cost_12" AS DOUBLE) > 0 THEN CAST(s."cost_12" AS DOUBLE) END * 100.0 AS "change.value",
  s."cost" - (s."cost_12") AS "change.numerator",
  s."cost_12" AS "change.denominator",
  s."cost" AS "change.current",
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") / CASE WHEN s."cost_12 / heads_avg_12" > 0 THEN s."cost_12 / heads_avg_12" END * 100.0 AS "per_head_yoy.value",
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") AS "per_head_yoy.numerator",
  s."cost_12 / heads_avg_12" AS "per_head_yoy.denominator",
  s."cost / heads_avg" AS "per_head_yoy.current"
FROM sides s

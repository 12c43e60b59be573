WITH
-- operands of each window; of a mean the sum and its months, or the figure they share
"operands" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost", CASE WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN 1 ELSE $months[c.w + 1] END AS "heads_avg_months", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger", sum(c."got_staff") AS "got_staff"
FROM (
  SELECT c."node", c."month_no", c."cost", c."heads", c."got_ledger", c."got_staff", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM node_now c
  WHERE c.node IN (SELECT unnest($nodes)) AND c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c.w
),
-- operands of each window, 12 months earlier; of a mean the sum and its months, or the figure they share
"operands_12" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost_12", CASE WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg_12", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN 1 ELSE $months[c.w + 1] END AS "heads_avg_12_months", sum(c."due_cost") AS "due_cost_12", sum(c."got_ledger") AS "got_ledger_12", sum(c."got_staff") AS "got_staff_12"
FROM (
  SELECT c."node", c."month_no", c."cost", c."heads", c."got_ledger", c."got_staff", c."due_cost", unnest($member[c.month_no + 12 - $first + 1]) AS w
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
  o0."got_staff" AS "got_staff",
  o12."got_staff_12" AS "got_staff_12",
  o0."heads_avg_months" AS "heads_avg_months",
  o12."heads_avg_12_months" AS "heads_avg_12_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / NULLIF(CAST(o0."heads_avg" AS DOUBLE), 0) AS "cost / heads_avg",
  CAST(o12."cost_12" * o12."heads_avg_12_months" AS DOUBLE) / NULLIF(CAST(o12."heads_avg_12" AS DOUBLE), 0) AS "cost_12 / heads_avg_12"
FROM operands o0
LEFT JOIN operands_12 o12 ON o12."node" = o0."node" AND o12.w = o0.w
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
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") / CASE WHEN s."cost_12 / heads_avg_12" > 0 THEN s."cost_12 / heads_avg_12" END * 100.0 AS "per_head_yoy.value",
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") AS "per_head_yoy.numerator",
  s."cost_12 / heads_avg_12" AS "per_head_yoy.denominator",
  s."cost / heads_avg" AS "per_head_yoy.current"
FROM sides s

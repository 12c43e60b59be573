SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  CAST(o0."cost" AS DECIMAL(33, 2)) * CAST(0.0001 AS DECIMAL(5, 4)) AS "total.value",
  o0."cost" AS "total.numerator",
  CAST(o0."cost" AS DOUBLE) / nullif(CAST(o0."heads" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  CAST(o0."heads" AS DOUBLE) AS "per_head.denominator"
FROM node_now o0
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last

SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o12."due_cost" AS "due_cost_12",
  o12."got_ledger" AS "got_ledger_12",
  CAST(o0."cost" - (o12."cost") AS DOUBLE) / CASE WHEN CAST(o12."cost" AS DOUBLE) > 0 THEN CAST(o12."cost" AS DOUBLE) END * 100.0 AS "change.value",
  o0."cost" - (o12."cost") AS "change.numerator",
  o12."cost" AS "change.denominator",
  o0."cost" AS "change.current"
FROM node_now o0
LEFT JOIN node_now o12 ON o12."node" = o0."node" AND o12.month_no = o0.month_no - 12
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last

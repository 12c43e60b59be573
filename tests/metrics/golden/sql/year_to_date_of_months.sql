WITH
-- operands of each window
"operands" AS (
SELECT $nodes AS node, c.w, sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."heads" END) AS "heads_last", sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."due_cost" END) AS "due_cost_last", sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."got_staff" END) AS "got_staff_last"
FROM (
  SELECT c."node", c."month_no", c."heads", c."paid", c."got_ledger", c."got_report", c."got_staff", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM node_now c
  WHERE c.node = $nodes AND c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c.w
),
-- operands of the year up to the end of each window
"operands_ytd" AS (
SELECT $nodes AS node, c.w, sum(c."paid") AS "paid_ytd", sum(c."due_cost") AS "due_cost_ytd", sum(c."got_ledger") AS "got_ledger_ytd", sum(c."got_report") AS "got_report_ytd"
FROM (
  SELECT c."node", c."month_no", c."heads", c."paid", c."got_ledger", c."got_report", c."got_staff", c."due_cost", unnest($member_ytd[c.month_no - $first_ytd + 1]) AS w
  FROM node_now c
  WHERE c.node = $nodes AND c.month_no >= $first_ytd AND c.month_no < $last_ytd
) c
GROUP BY c.w
)
SELECT
  o0."node", o0.w,
  o_ytd."due_cost_ytd" AS "due_cost_ytd",
  o_ytd."got_ledger_ytd" AS "got_ledger_ytd",
  o_ytd."got_report_ytd" AS "got_report_ytd",
  o0."due_cost_last" AS "due_cost_last",
  o0."got_staff_last" AS "got_staff_last",
  CAST(o_ytd."paid_ytd" AS DOUBLE) / nullif(CAST(o0."heads_last" AS DOUBLE), 0) * 100.0 AS "to_date.value",
  o_ytd."paid_ytd" AS "to_date.numerator",
  o0."heads_last" AS "to_date.denominator"
FROM operands o0
LEFT JOIN operands_ytd o_ytd ON o_ytd."node" = o0."node" AND o_ytd.w = o0.w

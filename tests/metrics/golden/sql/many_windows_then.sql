WITH
-- what was known: the sum of all changes up to the batch
"changes" AS (
SELECT d.node, d.month_no, sum(d."paid") AS "paid@ledger", sum(d.got) AS "got_ledger" FROM "node_ledger" d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT d.node, d.month_no, sum(d."paid") AS "paid@report", sum(d.got) AS "got_report" FROM "node_report" d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT d.node, d.month_no, sum(d."heads") AS "heads@staff", sum(d.got) AS "got_staff" FROM "node_staff" d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT d.node, d.month_no, sum(d."due_cost") AS "due_cost" FROM node_due d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, month_no, sum("paid@ledger") AS "paid@ledger", sum("paid@report") AS "paid@report", sum("heads@staff") AS "heads@staff", sum("got_ledger") AS "got_ledger", sum("got_report") AS "got_report", sum("got_staff") AS "got_staff", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, month_no, CASE WHEN "got_staff" > 0 THEN coalesce("heads@staff", 0) END AS "heads", CASE WHEN "got_ledger" > 0 OR "got_report" > 0 THEN coalesce("paid@ledger", 0) + coalesce("paid@report", 0) END AS "paid", coalesce("got_ledger", 0) AS "got_ledger", coalesce("got_report", 0) AS "got_report", coalesce("got_staff", 0) AS "got_staff", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- operands of each window
"operands" AS (
SELECT c."node", c.w, sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."heads" END) AS "heads_last", sum(c."paid") AS "paid", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger", sum(c."got_report") AS "got_report", sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."due_cost" END) AS "due_cost_last", sum(CASE WHEN c.month_no = $ends[c.w + 1] - 1 THEN c."got_staff" END) AS "got_staff_last"
FROM (
  SELECT c."node", c."month_no", c."heads", c."paid", c."got_ledger", c."got_report", c."got_staff", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM cells c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c.w
)
SELECT
  o0."node", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_report" AS "got_report",
  o0."due_cost_last" AS "due_cost_last",
  o0."got_staff_last" AS "got_staff_last",
  CAST(o0."paid" AS DOUBLE) / nullif(CAST(o0."heads_last" AS DOUBLE), 0) * 100.0 AS "rate.value",
  o0."paid" AS "rate.numerator",
  o0."heads_last" AS "rate.denominator"
FROM operands o0

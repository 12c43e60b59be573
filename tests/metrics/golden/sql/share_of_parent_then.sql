WITH
-- what was known: the sum of all changes up to the batch
"changes" AS (
SELECT d.node, d.month_no, sum(d."cost") AS "cost@ledger", sum(d.got) AS "got_ledger" FROM "node_ledger" d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT d.node, d.month_no, sum(d."due_cost") AS "due_cost" FROM node_due d WHERE d.node IN (SELECT unnest($nodes)) AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, month_no, sum("cost@ledger") AS "cost@ledger", sum("got_ledger") AS "got_ledger", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", coalesce("got_ledger", 0) AS "got_ledger", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- the parent of each node, and in which months
"hangs" AS (
SELECT unnest($hang_child) AS child, unnest($hang_parent) AS parent, unnest($hang_from) AS hang_from, unnest($hang_to) AS hang_to
),
-- figures of the parent of that month, under the name of the child
"parent_cells" AS (
SELECT h.child AS node, c.month_no, c."cost", c."got_ledger", c."due_cost"
FROM hangs h JOIN cells c ON c.node = h.parent AND c.month_no >= h.hang_from AND c.month_no < h.hang_to
)
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o_parent."due_cost" AS "due_cost_parent",
  o_parent."got_ledger" AS "got_ledger_parent",
  CAST(o0."cost" AS DOUBLE) / nullif(CAST(o_parent."cost" AS DOUBLE), 0) * 100.0 AS "share.value",
  o0."cost" AS "share.numerator",
  o_parent."cost" AS "share.denominator"
FROM cells o0
LEFT JOIN parent_cells o_parent ON o_parent."node" = o0."node" AND o_parent.month_no = o0.month_no - 0
WHERE o0.month_no >= $first AND o0.month_no < $last

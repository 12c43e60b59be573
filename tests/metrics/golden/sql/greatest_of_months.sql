WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p
WHERE p.rec_from <= $seq AND $seq < p.rec_to AND p.anc = $nodes
),
-- figures by item_code, of which the greatest is wanted
"parts_item_code" AS (
SELECT "node", thing, month_no, sum("cost") AS "cost" FROM (
SELECT p.node, u."item_code" AS thing, u.month_no, sum(u."cost") AS "cost" FROM places p JOIN "leaf_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
)
WHERE thing IS NOT NULL GROUP BY "node", thing, month_no
),
-- the greatest of each month
"top_item_code" AS (
SELECT "node", month_no, max("cost") AS "cost" FROM "parts_item_code" GROUP BY "node", month_no
)
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o_top_item_code."cost" AS DOUBLE) / nullif(CAST(o0."cost" AS DOUBLE), 0) * 100.0 AS "top_item.value",
  o_top_item_code."cost" AS "top_item.numerator",
  o0."cost" AS "top_item.denominator"
FROM node_now o0
LEFT JOIN top_item_code o_top_item_code ON o_top_item_code."node" = o0."node" AND o_top_item_code.month_no = o0.month_no - 0
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last

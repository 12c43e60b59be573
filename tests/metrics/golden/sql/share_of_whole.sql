WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p
WHERE p.rec_from <= $seq AND $seq < p.rec_to AND p.anc IN (SELECT unnest($nodes))
),
-- reports and duties of each node
"reports" AS (
SELECT p.node, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u.month_no, count(*) AS "due_cost" FROM (SELECT node, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
),
-- figures of each part of each node
"split" AS (
SELECT p.node, u."item_code" AS part, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "leaf_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
),
-- every part a node ever had
"parts" AS (
SELECT DISTINCT node, part FROM split
),
-- each part in every month of its node
"changes" AS (
SELECT p.node, p.part, r.month_no, r."got_ledger", r."due_cost" FROM parts p JOIN reports r ON r.node = p.node
UNION ALL BY NAME
SELECT node, part, month_no, "cost@ledger" FROM split
),
-- one row per cell
"folded" AS (
SELECT node, part, month_no, sum("cost@ledger") AS "cost@ledger", sum("got_ledger") AS "got_ledger", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, part, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, part, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", coalesce("got_ledger", 0) AS "got_ledger", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- figures of all parts together, beside each part
"whole_cells" AS (
SELECT c."node", p.part, c.month_no, sum(c."cost") AS "cost", max(c."got_ledger") AS "got_ledger", max(c."due_cost") AS "due_cost"
FROM cells c JOIN (SELECT DISTINCT node, part FROM cells) p ON p.node = c.node
GROUP BY c."node", p.part, c.month_no
),
-- operands of each window
"operands" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger"
FROM (
  SELECT c."node", c."part", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM cells c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c."part", c.w
),
-- operands of each window, of all parts together
"operands_whole" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost_whole"
FROM (
  SELECT c."node", c."part", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM whole_cells c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c."part", c.w
)
SELECT
  o0."node", o0."part", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o0."cost" AS DOUBLE) / nullif(CAST(o_whole."cost_whole" AS DOUBLE), 0) * 100.0 AS "item_share.value",
  o0."cost" AS "item_share.numerator",
  o_whole."cost_whole" AS "item_share.denominator"
FROM operands o0
LEFT JOIN operands_whole o_whole ON o_whole."node" = o0."node" AND o_whole."part" IS NOT DISTINCT FROM o0."part" AND o_whole.w = o0.w

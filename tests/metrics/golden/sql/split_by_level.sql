WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT theme, node, unit, from_m, to_m, owes, "level" FROM (SELECT t.theme, t.node, t.unit, t.owes, greatest(t.from_m, o.from_m) AS from_m, least(t.to_m, o.to_m) AS to_m, o."level"
FROM (SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p
WHERE p.rec_from <= $seq AND $seq < p.rec_to AND p.anc = $nodes) t JOIN d_org_unit o ON o.code = t.unit AND o.from_m < t.to_m AND t.from_m < o.to_m AND o.rec_from <= $seq AND $seq < o.rec_to)
),
-- reports, duties and figures of the units below each node
"changes" AS (
SELECT p.node, p."level" AS part, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p."level" AS part, u.month_no, sum(u.got) AS "got_staff" FROM places p JOIN "unit_staff" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u."level" AS part, u.month_no, count(*) AS "due_cost" FROM (SELECT node, "level", unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p."level" AS part, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p."level" AS part, u.month_no, sum(u."heads") AS "heads@staff" FROM places p JOIN "unit_staff" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, part, month_no, sum("cost@ledger") AS "cost@ledger", sum("heads@staff") AS "heads@staff", sum("got_ledger") AS "got_ledger", sum("got_staff") AS "got_staff", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, part, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, part, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", CASE WHEN "got_staff" > 0 THEN coalesce("heads@staff", 0) END AS "heads", coalesce("got_ledger", 0) AS "got_ledger", coalesce("got_staff", 0) AS "got_staff", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- operands of each window; of a mean the sum and its months, or the figure they share
"operands" AS (
SELECT $nodes AS node, c."part", 0 AS w, sum(c."cost") AS "cost", CASE WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN 1 ELSE ($last - $first) END AS "heads_avg_months", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger", sum(c."got_staff") AS "got_staff"
FROM cells c
WHERE c.month_no >= $first AND c.month_no < $last
GROUP BY c."part"
)
SELECT
  o0."node", o0."part", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  o0."heads_avg_months" AS "heads_avg_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / nullif(CAST(o0."heads_avg" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  (CAST(o0."heads_avg" AS DOUBLE) / o0."heads_avg_months") AS "per_head.denominator"
FROM operands o0

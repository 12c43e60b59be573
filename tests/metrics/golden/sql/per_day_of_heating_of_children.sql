WITH
-- children while they hung under their parent; the parent's own figures as one more
"stays" AS (
SELECT unnest($parents) AS parent, unnest($children) AS child, unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to
),
-- current figures of each child in the months it belonged to its parent
"cells" AS (
SELECT s.parent AS node, s.child AS part, n.month_no, n."cost", n."got_ledger", n."due_cost"
FROM stays s JOIN node_now n ON n.node = s.child AND n.month_no >= s.stay_from AND n.month_no < s.stay_to
WHERE n.month_no >= $lo AND n.month_no < $hi
),
-- operands of each window
"operands" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost", list_extract($heating_days, list_position($heating_nodes, c.part))[c.w + 1] AS "heating_days", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger"
FROM (
  SELECT c."node", c."part", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM cells c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c."part", c.w
)
SELECT
  o0."node", o0."part", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o0."cost" AS DOUBLE) / nullif(CAST(o0."heating_days" AS DOUBLE), 0) AS "per_heating_day.value",
  o0."cost" AS "per_heating_day.numerator",
  o0."heating_days" AS "per_heating_day.denominator"
FROM operands o0

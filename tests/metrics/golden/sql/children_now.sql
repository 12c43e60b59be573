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
)
SELECT
  o0."node", o0."part", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o0."cost" AS DECIMAL(33, 2)) * CAST(0.0001 AS DECIMAL(5, 4)) AS "total.value",
  o0."cost" AS "total.numerator"
FROM cells o0
WHERE o0.month_no >= $first AND o0.month_no < $last

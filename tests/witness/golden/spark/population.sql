WITH counted AS (
  SELECT
    'cost' AS theme,
    code,
    NOT COALESCE(kind, '') IN ('compound', 'meter') AS owes,
    from_m,
    to_m,
    rec_from,
    rec_to
  FROM d_org_unit
  WHERE
    COALESCE(scope_cost, FALSE) AND NOT COALESCE(excluded, FALSE)
  UNION ALL
  SELECT
    'vehicle' AS theme,
    code,
    NOT COALESCE(kind, '') IN ('compound', 'meter') AS owes,
    from_m,
    to_m,
    rec_from,
    rec_to
  FROM d_org_unit
  WHERE
    COALESCE(scope_vehicle, FALSE) AND NOT COALESCE(excluded, FALSE)
  UNION ALL
  SELECT
    'space' AS theme,
    code,
    NOT COALESCE(kind, '') IN ('compound', 'meter') AS owes,
    from_m,
    to_m,
    rec_from,
    rec_to
  FROM d_org_unit
  WHERE
    COALESCE(scope_space, FALSE) AND NOT COALESCE(excluded, FALSE)
  UNION ALL
  SELECT
    'energy' AS theme,
    code,
    NOT COALESCE(kind, '') IN ('compound', 'meter') AS owes,
    from_m,
    to_m,
    rec_from,
    rec_to
  FROM d_org_unit
  WHERE
    COALESCE(scope_energy, FALSE) AND NOT COALESCE(excluded, FALSE)
  UNION ALL
  SELECT
    'service' AS theme,
    code,
    NOT COALESCE(kind, '') IN ('compound', 'meter') AS owes,
    from_m,
    to_m,
    rec_from,
    rec_to
  FROM d_org_unit
  WHERE
    COALESCE(scope_service, FALSE) AND NOT COALESCE(excluded, FALSE)
), secret AS (
  SELECT
    code,
    from_m,
    to_m
  FROM d_org_unit
  WHERE
    excluded AND rec_to = 2147483647
), cut AS (
  SELECT
    `c`.`theme` AS `theme`,
    `c`.`code` AS `code`,
    `c`.`owes` AS `owes`,
    `c`.`from_m` AS `from_m`,
    `c`.`to_m` AS `to_m`,
    `c`.`rec_from` AS `rec_from`,
    `c`.`rec_to` AS `rec_to`,
    EXPLODE(
      ARRAY_SORT(
        ARRAY_DISTINCT(ARRAY(c.from_m) || FILTER(s.ends, m -> m > c.from_m AND m < c.to_m))
      )
    ) AS piece
  FROM counted AS c
  JOIN (
    SELECT
      code,
      FLATTEN(COLLECT_LIST(ARRAY(from_m, to_m))) AS ends
    FROM secret
    GROUP BY
      code
  ) AS s
    USING (code)
), pieces AS (
  SELECT
    theme,
    code,
    owes,
    piece AS from_m,
    LEAD(piece, 1, to_m) OVER (PARTITION BY theme, code, from_m, rec_from ORDER BY piece NULLS LAST) AS to_m,
    rec_from,
    rec_to
  FROM cut
), members AS (
  SELECT
    `counted`.`theme` AS `theme`,
    `counted`.`code` AS `code`,
    `counted`.`owes` AS `owes`,
    `counted`.`from_m` AS `from_m`,
    `counted`.`to_m` AS `to_m`,
    `counted`.`rec_from` AS `rec_from`,
    `counted`.`rec_to` AS `rec_to`
  FROM counted
  WHERE
    NOT code IN (
      SELECT
        code
      FROM secret
    )
  UNION ALL
  SELECT
    `p`.`theme` AS `theme`,
    `p`.`code` AS `code`,
    `p`.`owes` AS `owes`,
    `p`.`from_m` AS `from_m`,
    `p`.`to_m` AS `to_m`,
    `p`.`rec_from` AS `rec_from`,
    `p`.`rec_to` AS `rec_to`
  FROM pieces AS p
  ANTI JOIN secret AS s
    ON s.code = p.code AND s.from_m < p.to_m AND p.from_m < s.to_m
), placed AS (
  SELECT
    m.theme AS `theme`,
    c.anc AS `anc`,
    c.dsc AS `dsc`,
    c.depth AS `depth`,
    m.owes AS `owes`,
    GREATEST(c.from_m, m.from_m) AS from_m,
    LEAST(c.to_m, m.to_m) AS to_m,
    GREATEST(c.rec_from, m.rec_from) AS rec_from,
    LEAST(c.rec_to, m.rec_to) AS rec_to
  FROM closure AS c
  JOIN members AS m
    ON m.code = c.dsc
    AND c.from_m < m.to_m
    AND m.from_m < c.to_m
    AND c.rec_from < m.rec_to
    AND m.rec_from < c.rec_to
)
SELECT
  theme,
  anc,
  dsc,
  depth,
  from_m,
  to_m,
  rec_from,
  rec_to,
  owes
FROM placed
UNION ALL
SELECT
  theme,
  anc || '|own',
  dsc,
  0,
  from_m,
  to_m,
  rec_from,
  rec_to,
  owes
FROM placed
WHERE
  depth = 0 AND anc IN (
    SELECT
      anc
    FROM closure
    WHERE
      depth > 0
  )

"""How many people a purpose does not see, by why: reasons and counts, nothing else."""

SMALLEST = 10
"""Fewer people than that are not counted out loud."""

WITHHELD = f"""
WITH asked AS (SELECT * FROM public.purpose WHERE key = $1 AND retired_at IS NULL),
counted AS (
    SELECT CASE WHEN c.status = 'erased' OR c.erased_at IS NOT NULL THEN 'erased'
                WHEN p.basis = 'legal_obligation' THEN NULL
                WHEN c.restricted_at IS NOT NULL THEN 'restricted'
                WHEN p.basis = 'contract' THEN NULL
                WHEN c.refused & (1::bigint << p.bit) <> 0 THEN 'refused'
                WHEN p.basis = 'legitimate_interest' THEN NULL
                WHEN c.granted & (1::bigint << p.bit) = 0 THEN 'not_granted'
                WHEN c.granted_until <= now()
                 AND (SELECT s.until <= now() FROM public.consent_state s
                       WHERE s.customer_id = c.id AND s.purpose = p.key)
                THEN 'expired' END AS reason,
           count(*) AS people
      FROM asked p CROSS JOIN public.customer c WHERE c.status <> 'merged' GROUP BY 1)
SELECT r.reason, CASE WHEN n.people >= {SMALLEST} THEN n.people END
  FROM asked p
 CROSS JOIN LATERAL unnest(CASE p.basis
       WHEN 'consent' THEN ARRAY['erased', 'restricted', 'refused', 'not_granted', 'expired']
       WHEN 'legitimate_interest' THEN ARRAY['erased', 'restricted', 'refused']
       WHEN 'contract' THEN ARRAY['erased', 'restricted'] ELSE ARRAY['erased'] END)
       WITH ORDINALITY r (reason, place)
  LEFT JOIN counted n ON n.reason = r.reason ORDER BY r.place
"""
"""The body of a function in each purpose's schema that runs with the owner's rights: all that the
reader may call that sees more than the views show.
"""

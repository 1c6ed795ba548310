DELETE FROM kept_answers
USING unnest(%b::text[], %b::text[]) AS forgotten (account, key)
WHERE kept_answers.account = forgotten.account AND kept_answers.key = forgotten.key

SELECT name, rules, changed_at
FROM partners
ORDER BY name

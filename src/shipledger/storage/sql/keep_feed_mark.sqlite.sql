INSERT INTO feed_marks (name, place)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET place = max(place, excluded.place)

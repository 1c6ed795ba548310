INSERT INTO feed_marks (name, place)
VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET place = greatest(feed_marks.place, excluded.place)

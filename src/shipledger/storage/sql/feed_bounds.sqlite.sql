SELECT ifnull(max(id), 0), ifnull(max(id), 0) FROM events

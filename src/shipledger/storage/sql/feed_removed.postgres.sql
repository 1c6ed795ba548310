SELECT place FROM feed_marks WHERE name = 'removed'

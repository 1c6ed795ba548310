SELECT nextval(%s::regclass)
FROM generate_series(1, %s)

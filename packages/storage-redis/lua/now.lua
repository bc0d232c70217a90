return { int(tick()) }

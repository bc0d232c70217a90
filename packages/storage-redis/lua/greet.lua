-- Meets the server. Whether the caller is here for the first time. Answers the time, and whether the server has started anew.
local now = tick()
meet_server(now, arg())
return { int(now), is_new_life and "1" or "" }

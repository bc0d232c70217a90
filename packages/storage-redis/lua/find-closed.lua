-- Finds runs that are done and closed long enough. closedBefore, minAge, statuses, ids or nothing for the oldest, how many to pass over, how many to look at. Answers the time, whether there are more to look at, then of each run: id, incarnation, header, and the cache keys that it has written.
local now = read_clock()
local closed_before, min_age, statuses = arg(), arg(), arg()
local is_wanted_status = {}
for _, status in ipairs(statuses) do
  is_wanted_status[status] = true
end
local latest = math.min(closed_before - 1, now - min_age)
local has_more = "0"
local ids, skipped, count = optional_arg(), arg(), arg()
if not ids then
  ids = call("ZRANGEBYSCORE", P .. "x:c", "-inf", int(latest), "LIMIT", skipped, count)
  has_more = #ids == count and "1" or "0"
end
local answers = { int(now), has_more }
for _, id in ipairs(ids) do
  local f = call("HMGET", P .. "r:" .. id, "n", "s", "t", "z", "l")
  if f[1] and not f[5] and is_wanted_status[f[3]] and tonumber(f[4]) <= latest then
    answers[#answers + 1] = { id, f[1], f[2], call("SMEMBERS", P .. "rk:" .. id) }
  end
end
return answers

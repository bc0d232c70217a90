-- Finds runs that are done and closed long enough. closedBefore, minAge, statuses, ids or nothing for the oldest, how many to look at, the run to go on
-- after with its time, or nothing. Answers the time, where to go on ("" at the end), then of each run: id, incarnation, header, and the
-- cache keys that it has written.
local now = read_clock()
local closed_before, min_age, statuses, ids, count, after = arg(), arg(), arg(), optional_arg(), arg(), optional_arg()
local is_wanted_status = {}
for _, status in ipairs(statuses) do
  is_wanted_status[status] = true
end
local latest = math.min(closed_before - 1, now - min_age)

-- Ids and times, oldest first. Where the run to go on after is gone, all of its time are looked at again: what others delete moves nothing past us.
local function oldest()
  local rank = after and call("ZRANK", P .. "x:c", after[1])
  if rank then
    return call("ZRANGE", P .. "x:c", rank + 1, rank + count, "WITHSCORES")
  end
  return call("ZRANGEBYSCORE", P .. "x:c", after and after[2] or "-inf", int(latest), "WITHSCORES", "LIMIT", 0, count)
end

local answers = { int(now), "" }
if not ids then
  local entries = oldest()
  ids = {}
  for i = 1, #entries, 2 do
    ids[#ids + 1] = entries[i]
  end
  if #ids == count and tonumber(entries[#entries]) <= latest then
    answers[2] = { entries[#entries - 1], entries[#entries] }
  end
end
for _, id in ipairs(ids) do
  local f = call("HMGET", P .. "r:" .. id, "n", "s", "t", "z", "l")
  if f[1] and not f[5] and is_wanted_status[f[3]] and tonumber(f[4]) <= latest then
    answers[#answers + 1] = { id, f[1], f[2], call("SMEMBERS", P .. "rk:" .. id) }
  end
end
return answers

-- A server may come back with less than it had, and so may a replica that takes its place. The epochs of claims that it has forgotten must not be
-- issued again (I6): where a script meets another life of a server (its run_id) than the last one did, the epochs of all tasks go on from
-- the time, which none of before has reached. Whoever sets up or connects anew looks, and so does each claim.

local epoch_floor
local is_new_life = false

-- is_first: nothing known means that nothing was there, not that all of it was lost.
local function meet_server(now, is_first)
  local id = string.match(call("INFO", "server"), "run_id:(%x+)")
  local known = call("HMGET", P .. "life", "id", "floor")
  epoch_floor = tonumber(known[2] or "0")
  if known[1] == id then
    return
  end
  if known[1] or not is_first then
    epoch_floor = math.max(now, epoch_floor + 1)
    is_new_life = true
  end
  call("HSET", P .. "life", "id", id, "floor", int(epoch_floor))
end

local function next_epoch(task, now)
  if not epoch_floor then
    meet_server(now, false)
  end
  return math.max(task.epoch + 1, epoch_floor)
end

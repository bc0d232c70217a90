-- A server may come back with less than it had, and so may a replica that takes its place. The epochs of claims that it has forgotten must not be
-- issued again (I6): where a script meets another life of a server (its run_id) than the last one did, the epochs of all tasks go on from
-- the time, which none of before has reached. What survives of a life begins with the creation of runs: without them there are no claims.

local function server_id()
  return string.match(call("INFO", "server"), "run_id:(%x+)")
end

local function note_first_life()
  if call("EXISTS", P .. "life") == 0 then
    call("HSET", P .. "life", "id", server_id(), "floor", "0")
  end
end

local epoch_floor
local is_new_life = false

local function next_epoch(task, now)
  if not epoch_floor then
    local id = server_id()
    local known = call("HMGET", P .. "life", "id", "floor")
    epoch_floor = tonumber(known[2] or "0")
    if known[1] ~= id then
      epoch_floor = math.max(now, epoch_floor + 1)
      is_new_life = true
      call("HSET", P .. "life", "id", id, "floor", int(epoch_floor))
    end
  end
  return math.max(task.epoch + 1, epoch_floor)
end

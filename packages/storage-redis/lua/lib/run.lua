-- Tasks and runs as tables. Fields that both kinds share in their hashes: l lane, p priority, ep epoch, li the holder's instance ("" if nobody holds the
-- task), lw the holder's worker, lu the end of its lease, v when it is visible while nobody holds it ("" for never), dl deliveries.

local function task_of(id, key, lane, priority, epoch, instance, lease_until, visible_at, deliveries)
  return {
    id = id,
    key = key,
    lane = lane,
    priority = priority,
    epoch = tonumber(epoch) or 0,
    instance = instance and instance ~= "" and instance or nil,
    lease_until = tonumber(lease_until),
    visible_at = tonumber(visible_at),
    deliveries = tonumber(deliveries) or 0,
  }
end

-- A run with its workflow task. Other fields of its hash r: n incarnation, t status, d deadline, bl reason of a block, ia and il the last
-- acknowledged and the newest message, e the head of history, k the last commit, b baseSeq, s the header that never changes, i input,
-- sh start hash, c createdAt, z closedAt, o output, f failure, st state, a attributes, ax their indexes, dc discarded messages. There is no lane
-- when the task is done. nil: no such run, or another incarnation.
local function read_run(run_id, incarnation)
  local key = P .. "r:" .. run_id
  local f = call(
    "HMGET", key, "n", "l", "p", "ep", "li", "lu", "v", "dl", "t", "d", "bl", "ia", "il", "e", "k", "b"
  )
  if not f[1] or (incarnation and incarnation ~= f[1]) then
    return nil
  end
  local run = task_of(f[1] .. ":" .. run_id, key, f[2] or nil, f[3], f[4], f[5], f[6], f[7], f[8])
  run.kind = "w"
  run.run_id = run_id
  run.incarnation = f[1]
  run.status = f[9]
  run.deadline = tonumber(f[10])
  run.blocked = f[11] or nil
  run.acked = tonumber(f[12]) or 0
  run.newest = tonumber(f[13]) or 0
  run.head = tonumber(f[14])
  run.commit_id = f[15]
  run.base = tonumber(f[16]) or 0
  return run
end

-- Whether a claim owns its task: the epoch is the newest, and its lease was not given up (I6).
local function is_owned(task, epoch)
  return task ~= nil and task.lane ~= nil and task.instance ~= nil and task.epoch == epoch
end

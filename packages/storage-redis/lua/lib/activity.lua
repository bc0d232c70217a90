-- What becomes of activity tasks.

local function schedule(run, now, id, lane, priority, ready_at, input, attempt, details)
  local key = P .. "t:" .. id
  if call("EXISTS", key) == 1 or call("HEXISTS", P .. "rc:" .. run.run_id, id) == 1 then
    return
  end
  local task = task_of(id, key, lane, priority, 0, nil, nil, ready_at, 0)
  task.visible_at = task.visible_at or now
  local fields = {
    "l", lane, "p", priority, "v", int(task.visible_at), "w", name_of(run.lane), "i", input, "at", attempt,
    "sc", int(now),
  }
  if details ~= cjson.null then
    fields[#fields + 1] = "dt"
    fields[#fields + 1] = details
  end
  call("HSET", key, unpack(fields))
  call("SADD", P .. "ra:" .. run.run_id, id)
  register_lane(lane, priority)
  place(task)
  hint("q", queue_of(lane))
end

local function remove_activity(task, run_id)
  unplace(task)
  end_claim(task)
  call("DEL", task.key)
  call("SREM", P .. "ra:" .. run_id, task.id)
end

-- An activity task that is over: its last commit is remembered, so that a retried completion is known.
local function complete(task, run_id, commit_id, dedupe_ms, now)
  local completed, by_time = P .. "rc:" .. run_id, P .. "rz:" .. run_id
  remove_activity(task, run_id)
  forget_old(completed, by_time, now - dedupe_ms)
  call("HSET", completed, task.id, commit_id)
  call("ZADD", by_time, int(now), task.id)
end

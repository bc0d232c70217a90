-- What most commits do not do: all but to record events and hold on to the task.

local HOT = { "l", "p", "d", "ep", "li", "lw", "lu", "v", "dl", "bl", "ia", "il" }

-- The task goes with all activity tasks that the run still has.
local function finish(run, closed_at)
  for _, id in ipairs(call("SMEMBERS", P .. "ra:" .. run.run_id)) do
    local task = read_activity(id)
    unplace(task)
    end_claim(task)
    call("DEL", task.key)
  end
  call("HDEL", run.key, unpack(HOT))
  call("DEL", P .. "ra:" .. run.run_id, P .. "rc:" .. run.run_id, P .. "rz:" .. run.run_id)
  call("ZADD", P .. "x:c", closed_at, run.run_id)
  run.lane = nil
end

-- All that a workflow's commit changes, but for its events. fields: of the run, which the caller stores.
local function apply(commit, run, fields, now)
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  local member
  local function own_member()
    member = member or member_of(call("HGET", run.key, "c"), run.run_id)
    return member
  end

  if commit.state then
    set("st", commit.state)
  end
  if commit.base then
    set("b", commit.base)
  end
  if commit.attributes then
    local old = call("HGET", run.key, "ax")
    if old then
      remove_from_indexes(cjson.decode(old), own_member())
    end
    add_to_indexes(commit.attribute_indexes, own_member())
    if #commit.attribute_indexes > 0 then
      set("a", commit.attributes)
      set("ax", cjson.encode(commit.attribute_indexes))
    else
      call("HDEL", run.key, "a", "ax")
    end
  end
  if commit.ack > run.acked then
    acknowledge(run, commit.ack, now)
    set("ia", int(run.acked))
  end
  for _, new in ipairs(commit.schedule or {}) do
    schedule(run, now, unpack(new))
  end
  for _, id in ipairs(commit.cancel or {}) do
    local task = read_activity(id)
    if task then
      remove_activity(task, run.run_id)
    end
  end

  if commit.close then
    set("t", commit.close)
    set("z", int(now))
    if commit.output then
      set("o", commit.output)
    end
    if commit.failure then
      set("f", commit.failure)
    end
    local discarded = run.newest - run.acked
    if discarded > 0 then
      set("dc", int(discarded))
      call("INCRBY", P .. "discarded", int(discarded))
      acknowledge(run, run.newest, now)
      set("ia", int(run.acked))
    end
    call("ZREM", P .. "x:s:open", own_member())
    call("ZADD", P .. "x:s:" .. commit.close, 0, own_member())
    hint("c", run.run_id)
  end

  if run.blocked and commit.step ~= "block" then
    run.blocked = nil
    call("HDEL", run.key, "bl")
    call("ZREM", P .. "x:b", own_member())
  end
  if commit.step == "done" then
    unplace(run)
    end_claim(run)
    return
  end
  if commit.step == "block" then
    run.blocked = commit.reason
    set("bl", commit.reason)
    call("ZADD", P .. "x:b", 0, own_member())
  elseif run.deliveries > 0 then
    set("dl", "0")
  end
  if commit.step ~= "hold" then
    local at = commit.step_at
    -- I11: decided in the same write as the park.
    if commit.step == "park" and run.newest > run.acked then
      at = math.min(at or now, now)
    end
    give_back(run, at, now)
    set("li", "")
    set("v", at and int(at) or "")
  end
end

-- The last commit of a task, also of one that is gone because it was completed.
local function last_commit(commit, task)
  if task then
    return task.kind == "a" and task.commit_id
  end
  local f = call("HMGET", P .. "r:" .. commit.run_id, "n", "l")
  return f[1] == commit.incarnation and f[2] and call("HGET", P .. "rc:" .. commit.run_id, commit.task_id)
end

local function commit_activity(commit, now, dedupe_ms)
  local task = read_task(commit.task_id)
  if last_commit(commit, task) == commit.commit_id then
    return { "duplicate", "", "0", {} }
  end
  if not is_owned(task, commit.epoch) or task.kind ~= "a" then
    return { "lease-lost" }
  end
  if commit.step == "complete" then
    complete(task, commit.run_id, commit.commit_id, dedupe_ms, now)
    -- Whether the run still takes it is the run's affair: the task is over either way.
    deliver(commit.run_id, commit.incarnation, commit.dedupe_id, commit.is_external, commit.data, dedupe_ms, now)
  else
    local at = commit.step == "retry" and commit.at or now
    local fields = { "k", commit.commit_id, "dl", "0", "li", "", "v", int(at) }
    if commit.step == "retry" then
      fields[#fields + 1] = "at"
      fields[#fields + 1] = commit.attempt
    end
    if commit.details then
      fields[#fields + 1] = "dt"
      fields[#fields + 1] = commit.details
    end
    give_back(task, at, now)
    call("HSET", task.key, unpack(fields))
  end
  return { "ok", "", "0", {} }
end

return { apply = apply, finish = finish, commit_activity = commit_activity, publish_hints = publish_hints }

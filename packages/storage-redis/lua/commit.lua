-- Applies commits, each as a whole. How long ids are remembered, then the commits: see the two functions that read them. Answers the time, then of each
-- its status and what belongs to it. All checks of a commit come before its first write.
local now = tick()
local dedupe_ms = arg()

local function read_workflow_commit()
  return {
    run_id = arg(),
    incarnation = arg(),
    -- 0 when the task's id is not that of the run's workflow task.
    epoch = arg(),
    commit_id = arg(),
    -- What is wrong with it by itself.
    code = optional_arg(),
    expected = arg(),
    ack = arg(),
    step = arg(),
    step_at = optional_arg(),
    reason = optional_arg(),
    events = arg(),
    -- Of each: id, lane, priority, readyAt, input, attempt, details.
    schedule = arg(),
    cancel = arg(),
    state = optional_arg(),
    attributes = optional_arg(),
    attribute_indexes = arg(),
    base = optional_arg(),
    -- The status that it closes the run with.
    close = optional_arg(),
    discards = arg(),
    output = optional_arg(),
    failure = optional_arg(),
  }
end

-- What a holder needs to know next; the same for a commit that was applied before.
local function state_after(status, run, epoch)
  local newest = int(run.lane and run.newest or 0)
  if not is_owned(run, epoch) then
    return { status, "", newest, {} }
  end
  return { status, int(run.lease_until), newest, messages_after(run, run.acked) }
end

-- What is wrong with a commit, by itself or beside its task.
local function fault_of(commit, run)
  local is_closed = run.status ~= "open"
  if commit.code then
    return commit.code
  elseif commit.close and is_closed then
    return "close-twice"
  elseif commit.step == "done" and not commit.close and not is_closed then
    return "done-without-close"
  elseif commit.ack < run.acked or commit.ack > run.newest then
    return "ack-out-of-range"
  end
end

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

local function commit_workflow(commit)
  local run = read_run(commit.run_id, commit.incarnation)
  if run and run.commit_id == commit.commit_id then
    return state_after("duplicate", run, commit.epoch)
  end
  if not is_owned(run, commit.epoch) then
    return { "lease-lost" }
  end
  local fault = fault_of(commit, run)
  if fault then
    return { "invalid", fault }
  end
  if commit.expected ~= run.head then
    return { "conflict", int(run.head) }
  end
  if commit.close and not commit.discards and run.newest > commit.ack then
    return { "unread", messages_after(run, commit.ack) }
  end

  local is_done = commit.step == "done"
  local fields = { "k", commit.commit_id }
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  local member
  local function own_member()
    member = member or member_of(call("HGET", run.key, "c"), run.run_id)
    return member
  end

  if #commit.events > 0 then
    call_in_pieces("RPUSH", P .. "e:" .. run.run_id, commit.events)
    set("e", int(run.head + #commit.events))
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
  for _, new in ipairs(commit.schedule) do
    schedule(run, now, unpack(new))
  end
  for _, id in ipairs(commit.cancel) do
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
  if is_done then
    unplace(run)
    end_claim(run)
    call("HSET", run.key, unpack(fields))
    finish(run, commit.close and int(now) or call("HGET", run.key, "z"))
    return state_after("ok", run, commit.epoch)
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
  call("HSET", run.key, unpack(fields))
  return state_after("ok", run, commit.epoch)
end

local function read_activity_commit()
  return {
    task_id = arg(),
    run_id = arg(),
    incarnation = arg(),
    epoch = arg(),
    commit_id = arg(),
    step = arg(),
    -- Of a retry.
    at = optional_arg(),
    attempt = optional_arg(),
    details = optional_arg(),
    -- Of a completion.
    dedupe_id = optional_arg(),
    is_external = optional_arg(),
    data = optional_arg(),
  }
end

-- The last commit of a task, also of one that is gone because it was completed.
local function last_commit(commit, task)
  if task then
    return task.kind == "a" and task.commit_id
  end
  local f = call("HMGET", P .. "r:" .. commit.run_id, "n", "l")
  return f[1] == commit.incarnation and f[2] and call("HGET", P .. "rc:" .. commit.run_id, commit.task_id)
end

local function commit_activity(commit)
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

local answers = { int(now) }
for i in elements() do
  if arg() == "workflow" then
    answers[i + 1] = commit_workflow(read_workflow_commit())
  else
    answers[i + 1] = commit_activity(read_activity_commit())
  end
end
publish_hints()
return answers

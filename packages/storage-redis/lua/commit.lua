-- Applies commits, each as a whole. How long ids are remembered, then of each commit an object: what it has not is left out. Answers the time, then
-- of each its status and what belongs to it. All checks of a commit come before its first write.
--
-- Every commit has kind, run_id, incarnation, epoch (0 when the task's id is not that of its run), commit_id and step. A workflow's has expected and
-- ack, and may have code (what is wrong with it by itself), step_at, reason (of a block), events, schedule (of each: id, lane, priority, readyAt,
-- input, attempt, details), cancel, state, attributes with attribute_indexes, base, close (the status that it closes the run with), discards, output
-- and failure. An activity's has task_id, and may have at, attempt and details (of a retry), dedupe_id, is_external and data (of a completion).
local now = tick()
local dedupe_ms = arg()

local more
local function opened()
  more = more or open_more()
  return more
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

-- Whether it records events and holds on to the task, and that is all.
local function is_plain(commit, run)
  return commit.step == "hold" and commit.ack == run.acked and not run.blocked
    and not (commit.schedule or commit.cancel or commit.state or commit.base or commit.attributes or commit.close)
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

  local fields = { "k", commit.commit_id }
  local events = commit.events
  if events then
    -- In pieces that Lua can unpack.
    for from = 1, #events, 4000 do
      call("RPUSH", P .. "e:" .. run.run_id, unpack(events, from, math.min(from + 3999, #events)))
    end
    fields[3], fields[4] = "e", int(run.head + #events)
  end
  if not is_plain(commit, run) then
    opened().apply(commit, run, fields, now)
  elseif run.deliveries > 0 then
    fields[#fields + 1] = "dl"
    fields[#fields + 1] = "0"
  end
  call("HSET", run.key, unpack(fields))
  if commit.step == "done" then
    more.finish(run, commit.close and int(now) or call("HGET", run.key, "z"))
  end
  return state_after("ok", run, commit.epoch)
end

local answers = { int(now) }
for i, commit in elements() do
  if commit.kind == "workflow" then
    answers[i + 1] = commit_workflow(commit)
  else
    answers[i + 1] = opened().commit_activity(commit, now, dedupe_ms)
  end
end
if more then
  more.publish_hints()
end
return answers

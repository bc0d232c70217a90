-- All tasks: those of activities, and what every task tells of itself.

-- Other fields of an activity task's hash t: k its last commit, w the run's workflow, i input, at attempt, dt details, sc scheduledAt.
local function read_activity(id)
  local key = P .. "t:" .. id
  local f = call("HMGET", key, "l", "p", "ep", "li", "lu", "v", "dl", "k")
  if not f[1] then
    return nil
  end
  local task = task_of(id, key, f[1], f[2], f[3], f[4], f[5], f[6], f[7])
  task.kind = "a"
  task.commit_id = f[8]
  return task
end

-- The task with an id, if it is there: of this incarnation of the run, and not done.
local function read_task(id)
  local incarnation, run_id = string.match(id, "^([^:.]*):(.*)$")
  if not incarnation then
    return read_activity(id)
  end
  local run = read_run(run_id, incarnation)
  return run and run.lane and run or nil
end

local function visible_at(task)
  if task.instance then
    return task.lease_until
  end
  return task.visible_at
end

-- A lane is named kind, length of the queue's name, queue, name of the workflow or activity.
local function queue_of(lane)
  local length, from = string.match(lane, "^.:(%d+):()")
  return string.sub(lane, from, from + tonumber(length) - 1)
end

local function name_of(lane)
  local length, from = string.match(lane, "^.:(%d+):()")
  return string.sub(lane, from + tonumber(length) + 1)
end

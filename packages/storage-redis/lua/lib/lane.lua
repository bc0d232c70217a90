-- Lanes: all tasks of a kind, queue and name that have one priority. Each task stands in one of three sets of its lane: those that are held, by the
-- end of the lease; blocked, by the end of the block; the others, by the time from which they are ready. Never is +inf.

local PRIORITY_STEP_MS = 10000

local function set_of(task)
  local set = "v:"
  if task.instance then
    set = "l:"
  elseif task.blocked then
    set = "b:"
  end
  return P .. set .. task.priority .. ":" .. task.lane
end

local function score_of(at)
  return at and int(at) or "+inf"
end

-- Keeps the place among the tasks of runs that have a deadline; at: nil for none.
local function show_overdue(task, at)
  if not task.deadline then
    return
  end
  call("ZREM", P .. "oq", task.id)
  if at then
    call("ZADD", P .. "od", int(math.max(at, task.deadline)), task.id)
  else
    call("ZREM", P .. "od", task.id)
  end
end

-- Puts a task where it belongs by what its table says now. from: the set that it stood in, if any.
local function place(task, from)
  local to = set_of(task)
  if from and from ~= to then
    call("ZREM", from, task.id)
  end
  local at = visible_at(task)
  call("ZADD", to, score_of(at), task.id)
  show_overdue(task, at)
end

local function unplace(task)
  call("ZREM", set_of(task), task.id)
  show_overdue(task, nil)
end

-- The claim is over; where the task stands then is for the caller to say.
local function end_claim(task)
  if task.instance then
    call("SREM", P .. "h:" .. task.instance, task.id)
    task.instance = nil
  end
end

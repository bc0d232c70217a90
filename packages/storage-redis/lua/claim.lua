-- Hands out tasks. Asks for: whether only to look, worker, instance, leaseMs, limit, inlineEvents, whether overdue ones are wanted, ids that the
-- instance holds, whether ids are wanted or lanes, and these. Answers the time, when to look again ("" for never), the tasks unless it only
-- looks, their ranks, and whether the server has started anew.
local now = tick()
local only_looks, worker, instance, lease_ms, limit = arg(), arg(), arg(), arg(), arg()
local inline_events, takes_overdue = arg(), arg()
local chosen = {}
local ranks = {}
local is_seen = {}
local is_known = {}

local holds = {}
for _, id in ipairs(arg()) do
  holds[id] = true
end
local by_ids = arg()
-- Ids of tasks, or lanes.
local names = arg()

-- Held by this start of the worker, which does not know: the answer to its claim was lost.
local is_forgotten = {}
local forgotten = {}
for _, id in ipairs(call("SMEMBERS", P .. "h:" .. instance)) do
  if not holds[id] then
    is_forgotten[id] = true
    forgotten[#forgotten + 1] = id
  end
end

local function choose(task, rank)
  is_seen[task.id] = true
  chosen[#chosen + 1] = task
  ranks[#ranks + 1] = rank
end

-- Where tasks come from in order: a set, read piece by piece. Nothing is moved before all are chosen, so places do not change.
local function source_of(key, rank_less)
  return { key = key, rank_less = rank_less, entries = {}, next = 1, read = 0, is_read = false }
end

-- The first that was not chosen: id, time, rank.
local function head_of(source)
  while true do
    local entries = source.entries
    while source.next < #entries do
      local id, at = entries[source.next], tonumber(entries[source.next + 1])
      if not is_seen[id] then
        return id, at, at - source.rank_less
      end
      source.next = source.next + 2
    end
    if source.is_read then
      return nil
    end
    -- At first only the head: most sets have nothing that is due.
    local count = source.read == 0 and 1 or limit
    entries = call("ZRANGE", source.key, source.read, source.read + count - 1, "WITHSCORES")
    source.entries = entries
    source.next = 1
    source.read = source.read + count
    source.is_read = #entries < 2 * count
  end
end

-- Tasks of runs whose deadline has come, in the order of claiming.
local function rank_overdue()
  while true do
    local due = call("ZRANGEBYSCORE", P .. "od", "-inf", int(now), "LIMIT", 0, 1000)
    if #due == 0 then
      return
    end
    for _, id in ipairs(due) do
      local task = read_task(id)
      call("ZREM", P .. "od", id)
      call("ZADD", P .. "oq", int(visible_at(task) - tonumber(task.priority) * PRIORITY_STEP_MS), id)
    end
  end
end

local function sources_of_lanes()
  local sources = {}
  for from = 1, #names, 4000 do
    local to = math.min(from + 3999, #names)
    for i, priorities in ipairs(call("HMGET", P .. "lanes", unpack(names, from, to))) do
      local lane = names[from + i - 1]
      for priority in string.gmatch(priorities or "", "[^,]+") do
        for _, set in ipairs({ "v:", "l:", "b:" }) do
          sources[#sources + 1] = source_of(P .. set .. priority .. ":" .. lane, tonumber(priority) * PRIORITY_STEP_MS)
        end
      end
    end
  end
  return sources
end

-- First the forgotten ones that the request selects, then the ready ones in their order. Answers when to look again.
local function choose_any()
  for _, lane in ipairs(names) do
    is_known[lane] = true
  end
  for _, id in ipairs(forgotten) do
    if #chosen < limit then
      local task = read_task(id)
      local is_overdue = task and takes_overdue and task.deadline and task.deadline <= now
      if task and (is_known[task.lane] or is_overdue) then
        choose(task, "-inf")
      end
    end
  end
  local sources = sources_of_lanes()
  if takes_overdue then
    rank_overdue()
    local ranked = source_of(P .. "oq", 0)
    ranked.is_due = true
    sources[#sources + 1] = ranked
    sources[#sources + 1] = source_of(P .. "od", 0)
  end
  local ready = {}
  for _, source in ipairs(sources) do
    local id, at = head_of(source)
    if id and (source.is_due or at <= now) then
      ready[#ready + 1] = source
    end
  end
  while #chosen < limit do
    local first, first_rank
    for _, source in ipairs(ready) do
      local id, at, rank = head_of(source)
      if id and (source.is_due or at <= now) and (not first or rank < first_rank) then
        first, first_rank = id, rank
      end
    end
    if not first then
      break
    end
    choose(read_task(first), int(first_rank))
  end
  local next_at
  for _, source in ipairs(sources) do
    local id, at = head_of(source)
    if id then
      at = source.is_due and now or math.max(at, now)
      next_at = math.min(next_at or at, at)
    end
  end
  return next_at and next_at < math.huge and int(next_at) or ""
end

-- The named ones that nobody else holds, whatever they wait for.
local function choose_named()
  for _, id in ipairs(names) do
    local task = #chosen < limit and not is_seen[id] and read_task(id)
    if task and (not task.instance or task.lease_until <= now or is_forgotten[id]) then
      choose(task, "")
    end
  end
  return ""
end

-- Leases a task: a new epoch, and one more delivery unless the worker only lost the answer.
local function lease(task)
  local from = set_of(task)
  if task.instance ~= instance then
    end_claim(task)
    call("SADD", P .. "h:" .. instance, task.id)
  end
  if not is_forgotten[task.id] then
    task.deliveries = task.deliveries + 1
  end
  task.instance = instance
  task.epoch = next_epoch(task, now)
  task.lease_until = now + lease_ms
  call(
    "HSET", task.key, "ep", int(task.epoch), "li", instance, "lw", worker, "lu", int(task.lease_until),
    "dl", int(task.deliveries)
  )
  place(task, from)
end

local function hand_out(task)
  local is_foreign = not by_ids and not is_known[task.lane]
  lease(task)
  if task.kind == "a" then
    local f = call("HMGET", task.key, "w", "i", "at", "dt", "sc")
    return { "a", task.id, int(task.epoch), int(task.deliveries), task.lane, task.priority, unpack(f) }
  end
  local f = call("HMGET", task.key, "s", "i", "c", "sh")
  local events = false
  if task.head - task.base <= inline_events then
    events = call("LRANGE", P .. "e:" .. task.run_id, task.base, -1)
  end
  return {
    "w", task.id, int(task.epoch), int(task.deliveries), task.status, task.blocked or false, is_foreign and "1" or "0",
    int(task.acked), messages_after(task, task.acked), events, int(task.head), task.commit_id, int(task.base), unpack(f),
  }
end

local next_at = by_ids and choose_named() or choose_any()
if only_looks then
  return { int(now), next_at, {}, ranks }
end
local tasks = {}
for i, task in ipairs(chosen) do
  tasks[i] = hand_out(task)
end
return { int(now), next_at, tasks, ranks, is_new_life and "1" or "" }

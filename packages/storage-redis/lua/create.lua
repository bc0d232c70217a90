-- Stores runs with their workflow tasks and first events. The time of their creation, or nothing for now. Of each: id, incarnation, start hash, lane, priority, readyAt, deadline, header, input,
-- state, attributes, indexes of attributes, other indexes, first event. Answers the time, that of
-- the creation, then of each its status and, if it was there, its fields.
local now = tick()
local created_at = optional_arg() or now
local answers = { int(now), int(created_at) }

local function add_run()
  local run_id, incarnation, start_hash, lane, priority = arg(), arg(), arg(), arg(), arg()
  local ready_at, deadline, header, input, state = optional_arg(), optional_arg(), arg(), arg(), optional_arg()
  local attributes, attribute_indexes, indexes, event = arg(), arg(), arg(), arg()
  local key = P .. "r:" .. run_id
  local known = call("HMGET", key, "sh", "n", "s", "i", "c", "b", "t")
  if known[1] then
    return { known[1] == start_hash and "existing" or "conflict", unpack(known) }
  end
  local run = task_of(incarnation .. ":" .. run_id, key, lane, priority, 0, nil, nil, ready_at, 0)
  run.visible_at = run.visible_at or created_at
  run.deadline = deadline
  local fields = {
    "n", incarnation, "sh", start_hash, "s", header, "i", input, "c", int(created_at), "t", "open", "e", "1",
    "l", lane, "p", priority, "v", int(run.visible_at),
  }
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if run.deadline then
    set("d", deadline)
  end
  if state then
    set("st", state)
  end
  local member = member_of(created_at, run_id)
  if #attribute_indexes > 0 then
    set("a", attributes)
    set("ax", cjson.encode(attribute_indexes))
    add_to_indexes(attribute_indexes, member)
  end
  call("HSET", key, unpack(fields))
  call("RPUSH", P .. "e:" .. run_id, event)
  call("ZADD", P .. "x:s:open", 0, member)
  add_to_indexes(indexes, member)
  register_lane(lane, priority)
  place(run)
  hint("q", queue_of(lane))
  return { "created" }
end

for i in elements() do
  answers[i + 2] = add_run()
end
publish_hints()
return answers

-- Lifts blocks: ready now with a clean slate. A task that is claimed meanwhile stays with its holder.
local now = tick()
local answers = { int(now) }

local function unblock(id)
  local task = read_task(id)
  if not task or task.kind ~= "w" then
    return "unknown"
  end
  if not task.blocked then
    return "not-blocked"
  end
  local from = set_of(task)
  task.blocked = nil
  call("HDEL", task.key, "bl")
  call("ZREM", P .. "x:b", member_of(call("HGET", task.key, "c"), task.run_id))
  if task.instance then
    call("HSET", task.key, "dl", "0")
  else
    task.visible_at = now
    call("HSET", task.key, "dl", "0", "v", int(now))
    place(task, from)
    hint("q", queue_of(task.lane))
  end
  return "unblocked"
end

for i in elements() do
  answers[i + 1] = unblock(arg())
end
publish_hints()
return answers

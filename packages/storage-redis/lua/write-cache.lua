-- Writes cache entries: value v, expiry x, owning run o, and the task t and epoch e of the claim that wrote it. Of each: how its claim is checked, task,
-- epoch, run, key, value, expiresAt or "", mode. The claim is checked here, or was checked in the shard of its run, or it is all that is to be done here
-- ("only"), or there is none. Answers the time, then of each its status and the entry that stands.
local now = tick()
local answers = { int(now) }

local function write(check, task_id, epoch, run_id, key, value, expires_at, mode)
  local owner = ""
  if check ~= "none" then
    if check ~= "checked" then
      local task = read_task(task_id)
      if not is_owned(task, epoch) then
        return { "lease-lost" }
      end
      call("SADD", P .. "rk:" .. run_id, key)
      if check == "only" then
        return { "owned" }
      end
    end
    -- The part of a task's id that names the run and its incarnation.
    owner = string.match(task_id, "^[^:.]*") .. ":" .. run_id
  end
  local name = P .. "c:" .. key
  local f = call("HMGET", name, "v", "x", "t", "e")
  -- A claim that was checked in another shard may be over by now, and its successor have written.
  if check == "checked" and f[3] == task_id and tonumber(f[4]) > epoch then
    return { "lease-lost" }
  end
  if mode == "first" and f[1] and (f[2] == "" or tonumber(f[2]) > now) then
    return { "kept", f[1], f[2] }
  end
  if check == "none" then
    task_id, epoch = "", 0
  end
  call("HSET", name, "v", value, "x", expires_at, "o", owner, "t", task_id, "e", int(epoch))
  -- Nobody reads it any more from expires_at on, by a clock that is never behind the server's; an hour is for one that was set back.
  if expires_at == "" then
    call("PERSIST", name)
  else
    call("PEXPIREAT", name, int(expires_at + 3600000))
  end
  return { "written", value, expires_at }
end

for i in elements() do
  answers[i + 1] = write(arg(), arg(), arg(), arg(), arg(), arg(), arg(), arg())
end
return answers

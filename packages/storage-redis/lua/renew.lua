-- Renews leases. leaseMs, then of each claim: task, epoch. Answers the time, then of each false, or the newest message and the unread ones.
local now = tick()
local lease_until = now + arg()
local answers = { int(now), int(lease_until) }
for i in elements() do
  local id, epoch = arg(), arg()
  local task = read_task(id)
  if is_owned(task, epoch) then
    task.lease_until = lease_until
    call("HSET", task.key, "lu", int(lease_until))
    place(task)
    if task.kind == "w" then
      answers[i + 2] = { int(task.newest), messages_after(task, task.acked) }
    else
      answers[i + 2] = { "0", {} }
    end
  else
    answers[i + 2] = false
  end
end
return answers

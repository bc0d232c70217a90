-- Ends a claim and says when the task can be claimed again (nil: never by itself). The caller stores li and v.
local function give_back(task, at, now)
  local from = set_of(task)
  end_claim(task)
  task.visible_at = at
  place(task, from)
  if at and at <= now then
    hint("q", queue_of(task.lane))
  end
end

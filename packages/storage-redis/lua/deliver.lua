-- Delivers messages. How long ids are remembered, then of each: run, incarnation or nothing, dedupe id, whether it is external, data.
local now = tick()
local dedupe_ms = arg()
local answers = { int(now) }
for i in elements() do
  local run_id, incarnation, dedupe_id, is_external, data = arg(), optional_arg(), arg(), arg(), arg()
  answers[i + 1] = deliver(run_id, incarnation, dedupe_id, is_external, data, dedupe_ms, now)
end
publish_hints()
return answers

-- Delivers messages. How long ids are remembered, then of each: run, incarnation or "", dedupe id, whether it is external, data.
local now = tick()
local dedupe_ms = numeric_arg()
local answers = { int(now) }
for i = 1, numeric_arg() do
  local run_id, incarnation, dedupe_id, external, data = arg(), arg(), arg(), arg(), arg()
  if incarnation == "" then
    incarnation = nil
  end
  answers[i + 1] = deliver(run_id, incarnation, dedupe_id, external == "1", data, dedupe_ms, now)
end
publish_hints()
return answers

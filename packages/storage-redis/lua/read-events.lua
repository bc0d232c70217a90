-- Events of each run: id, incarnation or nothing, the seq before, how many. Answers of each the head, then the events. Without a clock: it writes nothing.
local answers = {}
for i in elements() do
  local run_id, incarnation, after, limit = arg(), optional_arg(), arg(), arg()
  local f = call("HMGET", P .. "r:" .. run_id, "n", "e")
  if f[1] and (not incarnation or incarnation == f[1]) then
    answers[i] = { f[2], call("LRANGE", P .. "e:" .. run_id, after, after + limit - 1) }
  else
    answers[i] = { "0", {} }
  end
end
return answers

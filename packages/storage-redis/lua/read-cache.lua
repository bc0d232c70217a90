-- Reads cache entries. Answers the time, then of each false, or value and expiresAt ("" for never).
local now = tick()
local answers = { int(now) }
for i in elements() do
  local f = call("HMGET", P .. "c:" .. arg(), "v", "x")
  if f[1] and (f[2] == "" or tonumber(f[2]) > now) then
    answers[i + 1] = f
  else
    answers[i + 1] = false
  end
end
return answers

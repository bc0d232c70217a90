-- A run's unread messages: one text each, of number, time, length of the dedupe id, dedupe id, data.

local function messages_after(run, acked)
  local flat = {}
  if run.newest <= acked then
    return flat
  end
  for _, message in ipairs(call("LRANGE", P .. "m:" .. run.run_id, acked - run.acked, -1)) do
    local no, at, length, from = string.match(message, "^(%d+) (%d+) (%d+) ()")
    local data_from = from + tonumber(length)
    flat[#flat + 1] = no
    flat[#flat + 1] = at
    flat[#flat + 1] = string.sub(message, from, data_from - 1)
    flat[#flat + 1] = string.sub(message, data_from)
  end
  return flat
end

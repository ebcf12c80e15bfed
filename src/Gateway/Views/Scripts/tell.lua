-- KEYS: the view. ARGV: channel, message, part, key, version.
-- Marks the part and wakes the watchers of all nodes; what is not in the cache costs this one call.
local known = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  local have = read(redis.call('HGET', KEYS[1], ARGV[3] .. '#'))
  if (have[ARGV[4]] or 0) < tonumber(ARGV[5]) then
    local told = read(redis.call('HGET', KEYS[1], ARGV[3] .. '!'))
    if (told[ARGV[4]] or 0) < tonumber(ARGV[5]) then told[ARGV[4]] = tonumber(ARGV[5]) end
    mark(KEYS[1], ARGV[3], told, have)
    known = 1
  end
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return known

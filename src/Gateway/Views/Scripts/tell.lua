-- KEYS: the view. ARGV: channel, message, then of each part that a fact makes old: name, key, version.
-- Marks the parts and wakes the watchers of all nodes; what is not in the cache costs this one call.
local known = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  for i = 3, #ARGV, 3 do
    local part, key, version = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local kept = redis.call('HMGET', KEYS[1], part .. '#', part .. '!')
    local have = read(kept[1])
    if (have[key] or 0) < version then
      local told = read(kept[2])
      if (told[key] or 0) < version then told[key] = version end
      redis.call('HSET', KEYS[1], part .. '!', missing(told, have))
      known = 1
    end
  end
  if known == 1 then
    sum_up(KEYS[1])
    redis.call('HDEL', KEYS[1], unpack(answers))
  end
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return known

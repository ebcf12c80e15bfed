-- KEYS: a caller's limit. ARGV: microseconds from one permit to the next, most permits at once, permits wanted.
-- GCRA: what is kept is the time at which every permit would be back, and the server's clock is everybody's. Answers how many are
-- given, how many more there are, and, where none is given, in how many microseconds there will be one.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local free = math.floor(burst - (full - now) / interval)
if free < 1 then
  return {0, 0, math.ceil(full - now - (burst - 1) * interval)}
end
local given = math.min(free, wanted)
full = full + given * interval
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
return {given, free - given, 0}

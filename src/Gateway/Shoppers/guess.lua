-- KEYS: the meter of all guesses, then what is slowed. ARGV: now, milliseconds between two guesses in the long run, how far ahead of that
-- one may be, how much the node took while Redis was away, then for each that is slowed: guesses that are free, the first wait, the
-- longest, until it is forgotten, guesses that the node knows of, for a Redis that forgot them. Answers which key forbids it (0: none) and
-- for how long, when the meter is empty, then of each slowed key: guesses, and when the next is taken. All times in milliseconds. A guess
-- is taken from all keys or from none.
local now, between, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local empty = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + tonumber(ARGV[4])
local by, wait = 0, 0
if empty - now > ahead then by, wait = 1, empty - now - ahead end
local states = {}
for i = 2, #KEYS do
  local at = 5 + (i - 2) * 5
  local kept = redis.call('HMGET', KEYS[i], 'guesses', 'next')
  local guesses = tonumber(kept[1] or ARGV[at + 4])
  local next = tonumber(kept[2] or '0')
  if next - now > wait then by, wait = i, next - now end
  states[i] = {guesses, next}
end
local answer = {by, math.ceil(wait), 0}
if by == 0 then empty = empty + between end
if by == 0 or ARGV[4] ~= '0' then redis.call('SET', KEYS[1], string.format('%.3f', empty), 'PX', math.ceil(empty - now) + 1000) end
if by == 0 then
  for i = 2, #KEYS do
    local at = 5 + (i - 2) * 5
    local free, first, longest, forget = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local guesses = states[i][1] + 1
    local next = 0
    if guesses > free then next = now + math.min(longest, first * 2 ^ math.min(guesses - free - 1, 40)) end
    redis.call('HSET', KEYS[i], 'guesses', guesses, 'next', string.format('%.0f', next))
    redis.call('PEXPIRE', KEYS[i], forget)
    states[i] = {guesses, next}
  end
end
answer[3] = math.ceil(empty)
for i = 2, #KEYS do
  answer[#answer + 1] = states[i][1]
  answer[#answer + 1] = math.ceil(states[i][2])
end
return answer

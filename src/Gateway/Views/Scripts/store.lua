-- KEYS: the view. ARGV: the token that the reader saw, milliseconds to live, channel, message, then of each part: name, version, what it has, head, copy.
-- Versions never go back, whoever writes last. Another token means that the view was lost in between, and with it perhaps
-- a mark: then the copy is kept, so that none older comes after it, but in doubt ('?'), until a reader who asked after the
-- view was born again brings one that is as new. What is newer than it was is told, since others may have what was there before.
local born = redis.call('HGET', KEYS[1], 'born')
if not born then return 0 end
local sure = born == ARGV[1]
local newer = false
for i = 5, #ARGV, 5 do
  local part, version, has, head, copy = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local old = redis.call('HGET', KEYS[1], part .. '#')
  local had = old and tonumber(string.match(old, '^(%d+)'))
  local have = read(old)
  local told = read(redis.call('HGET', KEYS[1], part .. '!'))
  if not old or version > had or (version == had and sure) then
    redis.call('HSET', KEYS[1], part, head, part .. ':staff', copy, part .. '#', version .. '|' .. has)
    redis.call('HDEL', KEYS[1], part .. ':shopper', part .. ':public')
    have = read(has)
    told['?'] = not sure and 1 or nil
    newer = newer or not old or version > had
  end
  mark(KEYS[1], part, told, have)
end
sum_up(KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if newer then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return 1

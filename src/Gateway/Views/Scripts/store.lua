-- KEYS: the view. ARGV: the token that the reader saw, milliseconds to live, then part, versions and copy of each part.
-- Versions never go back, whoever writes last. Another token means that the view was lost in between, and with it perhaps
-- a mark: then a copy may only replace an older one, whose keeper asked the services after the view was born again.
local born = redis.call('HGET', KEYS[1], 'born')
if not born then return 0 end
local stored = 0
for i = 3, #ARGV, 3 do
  local part, versions, copy = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local old = redis.call('HGET', KEYS[1], part .. '#')
  local have, had = read(old)
  local brought, sum = read(versions)
  if (not old and born == ARGV[1]) or (old and (sum > had or (sum == had and born == ARGV[1]))) then
    redis.call('HSET', KEYS[1], part, copy, part .. '#', versions)
    have = brought
    stored = stored + 1
  end
  mark(KEYS[1], part, read(redis.call('HGET', KEYS[1], part .. '!')), have)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return stored

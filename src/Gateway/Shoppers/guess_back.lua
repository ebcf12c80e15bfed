-- KEYS: as for a guess. ARGV: milliseconds between two guesses, then for each slowed key when the next was to be taken after this guess.
-- It was no guess: it is taken back, with the wait that it brought.
local empty = redis.call('GET', KEYS[1])
if empty then redis.call('SET', KEYS[1], string.format('%.3f', tonumber(empty) - tonumber(ARGV[1])), 'KEEPTTL') end
for i = 2, #KEYS do
  local guesses = tonumber(redis.call('HGET', KEYS[i], 'guesses') or '0')
  if guesses > 0 then
    redis.call('HSET', KEYS[i], 'guesses', guesses - 1)
    if redis.call('HGET', KEYS[i], 'next') == ARGV[i] then redis.call('HSET', KEYS[i], 'next', '0') end
  end
end
return 1

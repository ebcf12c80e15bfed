-- KEYS: the view. ARGV: the token that the reader saw, milliseconds to live, channel, message, then of each part: name, version, what it has, head, copy.
-- Versions never go back, whoever writes last. Another token means that the view was lost in between, and with it perhaps
-- a mark: then the copy is kept, so that none older comes after it, but in doubt ('?'), until a reader who asked after the
-- view was born again brings one that is as new. What is newer than it was is told, since others may have what was there before.
-- Every cold look-up ends here: what is read is read at once, and so is what is written.
local fields = {'born'}
for i = 5, #ARGV, 5 do
  fields[#fields + 1] = ARGV[i] .. '#'
  fields[#fields + 1] = ARGV[i] .. '!'
end
local kept = redis.call('HMGET', KEYS[1], unpack(fields))
if not kept[1] then return 0 end
local sure = kept[1] == ARGV[1]
local newer, marked, replaced = false, false, false
local set, gone = {}, {}
local at = 2
for i = 5, #ARGV, 5 do
  local part, version, has = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local old, marks = kept[at], kept[at + 1]
  at = at + 2
  local had = old and tonumber(string.match(old, '^(%d+)'))
  local have = old
  local told = read(marks)
  if not old or version > had or (version == had and sure) then
    for _, one in ipairs({part, ARGV[i + 3], part .. ':staff', ARGV[i + 4], part .. '#', ARGV[i + 1] .. '|' .. has}) do set[#set + 1] = one end
    if old then
      gone[#gone + 1] = part .. ':shopper'
      gone[#gone + 1] = part .. ':public'
      replaced = true
    end
    have = has
    told['?'] = not sure and 1 or nil
    newer = newer or not old or version > had
  end
  local left = next(told) and missing(told, read(have)) or ''
  if left ~= '' then
    set[#set + 1] = part .. '!'
    set[#set + 1] = left
  elseif marks then
    gone[#gone + 1] = part .. '!'
  end
  marked = marked or marks or left ~= ''
end
if #set > 0 then redis.call('HSET', KEYS[1], unpack(set)) end
if replaced then
  for _, answer in ipairs(answers) do gone[#gone + 1] = answer end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
if marked then sum_up(KEYS[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if newer then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return 1

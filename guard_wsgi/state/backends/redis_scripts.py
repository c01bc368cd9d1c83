"""What the Redis server does in one step, in Lua.

The arithmetic is that of `guard_wsgi.state.windows`, in microseconds of the server's clock (its
numbers are doubles: exact up to 2**53). The machines of a fleet need not agree on the time.

Every limit script: KEYS the record and, where one server holds all keys, the version of the
bans, so that each counted hit tells whether bans have changed. ARGV requests, window in us, cost,
keep (0: only look). Returns allowed, remaining, us until more is let through, version.
"""

from __future__ import annotations

_HEAD = """
local requests, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local keep = ARGV[4] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local version = 0
if KEYS[2] then version = tonumber(redis.call('GET', KEYS[2]) or 0) end
"""

FIXED_WINDOW = (
    _HEAD
    + """
local record = redis.call('HMGET', KEYS[1], 'e', 'c')
local expires, current = tonumber(record[1] or 0), tonumber(record[2] or 0)
if now >= expires or expires - now > window + 1000000 then
  expires = now + window
  current = 0
end
local remaining = requests - current - cost
local left = expires - now
if remaining < 0 then return {0, math.max(0, remaining + cost), left, version} end
if not keep then return {1, remaining + cost, left, version} end
redis.call('HSET', KEYS[1], 'e', string.format('%.0f', expires), 'c', current + cost)
redis.call('PEXPIRE', KEYS[1], math.ceil(left / 1000) + 1)
return {1, remaining, left, version}
"""
)

SLIDING_WINDOW_COUNTER = (
    _HEAD
    + """
local record = redis.call('HMGET', KEYS[1], 'e', 'p', 'c')
local expires = tonumber(record[1] or 0)
local previous, current = tonumber(record[2] or 0), tonumber(record[3] or 0)
local left = expires - window - now
if left <= 0 then
  if now >= expires then
    previous = 0
    left = window
    expires = now + 2 * window
  else
    previous = current
    left = left + window
    expires = expires + window
  end
  current = 0
elseif left > window + 1000000 then
  previous = 0
  current = 0
  left = window
  expires = now + 2 * window
end
local function wait(cost)
  if cost > requests then return window end
  local room = requests - cost - current
  if room >= 0 then
    if math.floor(previous * left / window) <= room then return 0 end
    return left - math.floor(((room + 1) * window - 1) / previous)
  end
  local fits = math.floor(((requests - cost + 1) * window - 1) / current)
  return left + math.max(0, window - fits)
end
local remaining = requests - math.floor(previous * left / window) - current - cost
if remaining < 0 then
  return {0, math.max(0, remaining + cost), wait(cost), version}
end
if not keep then return {1, remaining + cost, left, version} end
current = current + cost
redis.call('HSET', KEYS[1], 'e', string.format('%.0f', expires), 'p', previous, 'c', current)
redis.call('PEXPIRE', KEYS[1], math.ceil((expires - now) / 1000) + 1)
if remaining > 0 then return {1, remaining, left, version} end
return {1, 0, wait(1), version}
"""
)

MOVING_WINDOW = (
    _HEAD
    + """
local newest = redis.call('LINDEX', KEYS[1], 0)
if newest and tonumber(newest) > now then
  if tonumber(newest) > now + 1000000 then
    redis.call('DEL', KEYS[1])
  else
    now = tonumber(newest)
  end
end
while true do
  local oldest = redis.call('LINDEX', KEYS[1], -1)
  if not oldest or tonumber(oldest) > now - window then break end
  redis.call('RPOP', KEYS[1])
end
local count = redis.call('LLEN', KEYS[1])
local function wait(count, cost)
  if cost > requests then return window end
  local too_many = count + cost - requests
  if too_many <= 0 then return 0 end
  return tonumber(redis.call('LINDEX', KEYS[1], -too_many)) + window - now
end
local remaining = requests - count - cost
if remaining < 0 then
  return {0, math.max(0, remaining + cost), wait(count, cost), version}
end
if not keep then return {1, remaining + cost, window, version} end
for _ = 1, cost do redis.call('LPUSH', KEYS[1], string.format('%.0f', now)) end
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + 1)
if remaining > 0 then return {1, remaining, window, version} end
return {1, 0, wait(count + cost, 1), version}
"""
)

INCREMENT = """
local half, amount = math.floor(tonumber(ARGV[1]) / 2), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local record = redis.call('HMGET', KEYS[1], 'e', 'p', 'c')
local expires = tonumber(record[1] or 0)
local previous, current = tonumber(record[2] or 0), tonumber(record[3] or 0)
local left = expires - half - now
if left <= 0 and now < expires then
  expires = expires + half
  previous = current
  current = 0
elseif left <= 0 or left > half + 1000000 then
  expires = now + 2 * half
  previous = 0
  current = 0
end
if amount > 0 then
  current = current + amount
  redis.call('HSET', KEYS[1], 'e', string.format('%.0f', expires), 'p', previous, 'c', current)
  redis.call('PEXPIRE', KEYS[1], math.ceil((expires - now) / 1000) + 1)
end
return previous + current
"""
"""KEYS the counter. ARGV window in us, amount (0: only look). Returns the value."""

RANGE = 2**32
"""The ranges of versions of the bans. If a version is in another range than before, all bans are
read."""

_BIRTH = """
local function is_born()
  return redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) == 3
end
local function mark()
  redis.call('HSET', KEYS[2], '', '')
  redis.call('ZADD', KEYS[3], '-inf', '')
end
local function bear()
  local time = redis.call('TIME')
  local version = string.format('%.0f', (time[2] * 2 + time[1] % 2) * 4294967296)
  redis.call('SET', KEYS[1], version)
  redis.call('DEL', KEYS[3], KEYS[5])
  for _, target in ipairs(redis.call('HKEYS', KEYS[2])) do
    if target ~= '' then redis.call('ZADD', KEYS[3], version, target) end
  end
  mark()
end
"""
"""The first ban begins a random range of versions (from the microsecond). If the version, the bans
or the journal are lost, even one of them (evicted or deleted), another range begins, and every
process sees that. An entry without a name keeps the last two if nobody is banned."""

_BUMP = (
    _BIRTH
    + """
local function bump(step)
  if not is_born() then bear() end
  local version = redis.call('INCRBY', KEYS[1], step)
  local text = string.format('%.0f', version)
  redis.call('ZADD', KEYS[5], text, text)
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1001)
  return text
end
"""
)
"""A server that lost only the last changes (a replica that takes over, an older snapshot) reaches
other versions than before, because the steps are random. The last thousand versions are kept to
distinguish that from further changes."""

SAVE_BAN = (
    _BUMP
    + """
local version = bump(ARGV[5])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], version, ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
local now = math.min(tonumber(ARGV[4]), tonumber(redis.call('TIME')[1]))
local ended = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 20)
for _, target in ipairs(ended) do
  redis.call('HDEL', KEYS[2], target)
  redis.call('ZREM', KEYS[3], target)
  redis.call('ZREM', KEYS[4], target)
end
return version
"""
)
"""KEYS version, bans, journal, endings, versions. ARGV target, record of the ban, expires_at, now
(epoch s), the step to the next version. The journal holds each target once, at the version that
last changed it; bans that have ended by the caller's clock and by the server's are swept twenty at
a time. Returns the version."""

DROP_BAN = (
    _BUMP
    + """
local held = redis.call('HGET', KEYS[2], ARGV[1])
local version = bump(ARGV[3])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], version, ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
return held or ''
"""
)
"""KEYS as `SAVE_BAN`. ARGV target, when the journal may forget it (epoch s), the step. A missing
ban is lifted, too: processes that know it must not write it again to a server that has lost it.
Returns the ban."""

BAN_CHANGES = (
    _BIRTH
    + """
if redis.call('EXISTS', KEYS[1]) == 1 and not is_born() then bear() end
local version = tonumber(redis.call('GET', KEYS[1]) or 0)
local since = tonumber(ARGV[1])
if since == version then return {version, version, 0} end
local complete = 0
if since < 0 or since > version or
   math.floor(since / 4294967296) ~= math.floor(version / 4294967296) then
  complete = 1
  since = -1
elseif not redis.call('ZSCORE', KEYS[5], string.format('%.0f', since)) then
  local oldest = redis.call('ZRANGE', KEYS[5], 0, 0)[1]
  if oldest and tonumber(oldest) < since then
    complete = 2
    since = -1
  end
end
local targets = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. string.format('%.0f', since), '+inf',
                           'WITHSCORES', 'LIMIT', 0, ARGV[2])
local reply = {version, version, complete}
if #targets >= 2 * tonumber(ARGV[2]) then reply[2] = tonumber(targets[#targets]) end
for i = 1, #targets, 2 do
  reply[#reply + 1] = targets[i]
  reply[#reply + 1] = redis.call('HGET', KEYS[2], targets[i]) or ''
end
return reply
"""
)
"""KEYS as `SAVE_BAN`. ARGV the known version (-1: none), the most entries. Returns the version, the
version up to which the entries lead, whether they begin from nothing (2: the server never had the
known version), then target and ban ('' when lifted) in turn."""

ERASE_BANS = (
    _BIRTH
    + """
local version = tonumber(redis.call('GET', KEYS[1]) or 0)
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
version = (math.floor(version / 4294967296) + 1) * 4294967296
redis.call('SET', KEYS[1], string.format('%.0f', version))
mark()
return version
"""
)
"""KEYS as `SAVE_BAN`. The version moves to the next multiple of 2**32, so every process reads all
bans again."""

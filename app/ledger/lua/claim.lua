-- claim: note the worker's presence, promote due delayed jobs, hand out the next job.
-- ARGV: worker, token, lease_ms, free (0: presence only), info, alive_ms
-- Returns {id, fence, message} or {false, milliseconds to the next due job or -1}
local worker, token, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local free, info, alive_ms = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

redis.call('ZADD', key('workers'), text(now_ms), worker)
redis.call('HSET', key('workers:info'), worker, info)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', key('workers'), '-inf', text(now_ms - alive_ms),
    'LIMIT', 0, 100)) do
  redis.call('ZREM', key('workers'), gone)
  redis.call('HDEL', key('workers:info'), gone)
  redis.call('HDEL', key('claims'), gone)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', text(now_ms),
    'LIMIT', 0, 100)) do
  redis.call('ZREM', key('delayed'), id)
  redis.call('HDEL', job_key(id), 'due_at')
  enqueue(id, stamp()) -- the first due comes first
end

local function next_due()
  local first = redis.call('ZRANGE', key('delayed'), 0, 0, 'WITHSCORES')
  if first[2] then return math.max(0, tonumber(first[2]) - now_ms) end
  return -1
end

local function wake_next()
  for _, priority in ipairs(PRIORITIES) do
    if redis.call('ZCARD', key('waiting:' .. priority)) > 0 then return wake() end
  end
end

if free == 0 then return {false, next_due()} end

-- The same token again is our own call whose reply was lost: the same answer.
local last = redis.call('HGET', key('claims'), worker)
if last and string.sub(last, 1, #token + 1) == token .. ' ' then
  local id = string.sub(last, #token + 2)
  local job = redis.call('HMGET', job_key(id), 'fence', 'message', 'worker', 'begun', 'state')
  if job[3] == worker and job[5] == 'active' and job[4] ~= job[1] then
    wake_next()
    return {id, job[1], job[2]}
  end
end

-- Weights 6:3:1, spread over ten turns; an empty class passes its turn to the next.
local TURNS = {'high', 'normal', 'high', 'high', 'normal', 'high', 'low', 'high', 'normal', 'high'}
local turn = tonumber(redis.call('GET', key('turn')) or '0')
local order = {TURNS[turn % #TURNS + 1], 'high', 'normal', 'low'}
for _, priority in ipairs(order) do
  local waiting = key('waiting:' .. priority)
  local id = redis.call('ZRANGE', waiting, 0, 0)[1]
  if id then
    local job = job_key(id)
    redis.call('ZREM', waiting, id)
    redis.call('SET', key('turn'), tostring((turn + 1) % #TURNS))
    -- A time, not a count: no earlier life of a job of this id ever had the same.
    local fence = stamp()
    redis.call('HSET', job, 'fence', fence, 'worker', worker,
      'lease_until', text(now_ms + lease_ms))
    redis.call('ZADD', key('active'), text(now_ms + lease_ms), id)
    set_state(id, 'active')
    redis.call('HSET', key('claims'), worker, token .. ' ' .. id)
    wake_next()
    return {id, fence, redis.call('HGET', job, 'message')}
  end
end
redis.call('DEL', key('wake'))
return {false, next_due()}

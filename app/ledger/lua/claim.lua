-- claim: record the worker's presence, queue due delayed jobs, start the next job.
-- ARGV: worker, token, lease_ms, free (0: presence only), info, alive_ms, presence_ms
-- Returns {id, fence, message, attempts spent, max_attempts, queued_us}
--      or {false, milliseconds to the next due job or -1}
local worker, token, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local free, info, alive_ms = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

-- Presence is recorded only now and then, so that a thousand claims a second stay cheap.
local seen = redis.call('ZSCORE', key('workers'), worker)
if not seen or math.abs(now_ms - tonumber(seen)) >= tonumber(ARGV[7]) then
  redis.call('ZADD', key('workers'), text(now_ms), worker)
  redis.call('HSET', key('workers:info'), worker, info)
end
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

-- Read from info, which is JSON. Decoding all of it would slow every claim.
local track = string.match(info, '"track":"(%w+)"')

local function handed(id, fence)
  local job = redis.call('HMGET', job_key(id), 'message', 'attempts', 'max_attempts', 'queued_us')
  return {id, fence, job[1], job[2], job[3], job[4]}
end

-- The same token again: the reply to the first call was lost. Give the same answer.
local last = redis.call('HGET', key('claims'), worker)
if last and string.sub(last, 1, #token + 1) == token .. ' ' then
  local id = string.sub(last, #token + 2)
  local job = redis.call('HMGET', job_key(id), 'fence', 'worker', 'state')
  if job[2] == worker and job[3] == 'active' then
    wake_next()
    return handed(id, job[1])
  end
end

-- Weights 6:3:1, spread over ten turns. An empty priority passes its turn to the next.
local TURNS = {'high', 'normal', 'high', 'high', 'normal', 'high', 'low', 'high', 'normal', 'high'}
local turn = tonumber(redis.call('GET', key('turn')) or '0')
local order = {TURNS[turn % #TURNS + 1], 'high', 'normal', 'low'}
for _, priority in ipairs(order) do
  local waiting = key('waiting:' .. priority)
  local id = redis.call('ZPOPMIN', waiting)[1]
  -- The record was deleted by hand; recover removes what is left of the job.
  while id and redis.call('HEXISTS', job_key(id), 'state') == 0 do
    id = redis.call('ZPOPMIN', waiting)[1]
  end
  if id then
    local job = job_key(id)
    redis.call('SET', key('turn'), tostring((turn + 1) % #TURNS))
    -- A time, not a count, so that no earlier job with this id ever had the same fence.
    local fence = stamp()
    redis.call('HSET', job, 'fence', fence, 'worker', worker,
      'lease_until', text(now_ms + lease_ms), 'heartbeat_at', text(now_ms),
      'phase', 'preparing', 'frames_done', '0', 'frames_total', '0')
    if track then redis.call('HSET', job, 'track', track) end
    -- Each start without an end is a worker that died with this job.
    redis.call('HINCRBY', job, 'starts', 1)
    redis.call('HSETNX', job, 'started_us', fence)
    redis.call('ZADD', key('active'), text(now_ms + lease_ms), id)
    set_state(id, 'active')
    redis.call('HSET', key('claims'), worker, token .. ' ' .. id)
    wake_next()
    return handed(id, fence)
  end
end
redis.call('DEL', key('wake'))
return {false, next_due()}

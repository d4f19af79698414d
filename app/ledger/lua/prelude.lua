-- Prepended to every script. KEYS[1] is the queue's prefix, "{name}:".
-- The server's clock is the only clock: those of clients differ.
local prefix = KEYS[1]
local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now_ms = math.floor(now_us / 1000)

local PRIORITIES = {'high', 'normal', 'low'}

local function key(name) return prefix .. name end
local function job_key(id) return prefix .. 'job:' .. id end
-- Microseconds since 1970 fit a double exactly, but tostring() would round them.
local function text(number) return string.format('%.0f', number) end

-- One token is enough: whoever claims wakes the next while work remains.
local function wake()
  if redis.call('LLEN', key('wake')) == 0 then redis.call('RPUSH', key('wake'), '1') end
end

local function depth()
  local sum = redis.call('ZCARD', key('active')) + redis.call('ZCARD', key('delayed'))
  for _, priority in ipairs(PRIORITIES) do
    sum = sum + redis.call('ZCARD', key('waiting:' .. priority))
  end
  return sum
end

-- Moves a job between the listing indexes; both are ordered by its creation.
local function set_state(id, to)
  local job = job_key(id)
  local known = redis.call('HMGET', job, 'state', 'project', 'created_us')
  local from, project, created = known[1], known[2], known[3]
  if from then
    redis.call('ZREM', key('index:state:' .. from), id)
    redis.call('ZREM', key('index:state:' .. from .. ':project:' .. project), id)
  end
  redis.call('ZADD', key('index:state:' .. to), created, id)
  redis.call('ZADD', key('index:state:' .. to .. ':project:' .. project), created, id)
  redis.call('HSET', job, 'state', to)
end

local function enqueue(id, score)
  local priority = redis.call('HGET', job_key(id), 'priority')
  redis.call('ZADD', key('waiting:' .. priority), score, id)
  redis.call('HSET', job_key(id), 'queued_us', score)
  set_state(id, 'queued')
  wake()
end

-- Ends a job: 'completed' and 'cancelled' drop the message, 'failed' keeps it for a replay.
local function finish(id, state)
  local job = job_key(id)
  redis.call('ZADD', key(state), now_ms, id)
  redis.call('HSET', job, 'finished_at', text(now_ms))
  redis.call('HDEL', job, 'lease_until', 'cancel_requested', 'due_at')
  if state ~= 'failed' then redis.call('HDEL', job, 'message') end
  set_state(id, state)
end

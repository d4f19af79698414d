-- Prepended to every script. KEYS[1] is the queue's prefix, "{name}:".
-- Only the server's clock counts, because the clocks of clients differ.
local prefix = KEYS[1]
local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now_ms = math.floor(now_us / 1000)

local PRIORITIES = {'high', 'normal', 'low'}

local function key(name) return prefix .. name end
local function job_key(id) return prefix .. 'job:' .. id end
-- Microseconds since 1970 fit a double exactly, but tostring() would round them.
local function text(number) return string.format('%.0f', number) end

-- Returns a unique time (µs) for an event of the queue. It increases strictly, even within a script
-- and after a restore from an old copy.
local function stamp()
  local at = text(math.max(now_us, tonumber(redis.call('GET', key('clock')) or '0') + 1))
  redis.call('SET', key('clock'), at)
  return at
end

-- One token is enough: each consumer that claims a job wakes the next while work remains.
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

-- Moves a job between the indexes of states, which are ordered by time of creation.
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

-- Most replays by the scheduler. After that, a person must decide.
local MAX_AUTO_REPLAYS = 2

-- Returns the indexes that hold a dead letter: by code, by project, by both, and whether the
-- scheduler may replay it.
local function dead_indexes(id)
  local known = redis.call('HMGET', job_key(id), 'error', 'project', 'replays')
  local understood, error = pcall(cjson.decode, known[1] or '')
  if not understood or type(error) ~= 'table' then error = {} end
  local code = ':code:' .. tostring(error.code or 'unknown')
  local project = ':project:' .. (known[2] or '')
  local names = {'failed', 'failed' .. code, 'failed' .. project, 'failed' .. code .. project}
  if error.retryable == true and tonumber(known[3] or '0') < MAX_AUTO_REPLAYS then
    names[#names + 1] = 'failed:transient'
  end
  return names
end

-- Returns the sets that hold an ended job, ordered by the time of its end.
local function ended_sets(id, state)
  return state == 'failed' and dead_indexes(id) or {state}
end

-- Ends a job: 'completed' and 'cancelled' drop the message, 'failed' keeps it for a replay.
local function finish(id, state)
  local job = job_key(id)
  local at = stamp()
  redis.call('HSET', job, 'finished_us', at)
  redis.call('HDEL', job, 'lease_until', 'cancel_requested', 'due_at')
  for _, name in ipairs(ended_sets(id, state)) do redis.call('ZADD', key(name), at, id) end
  if state ~= 'failed' then redis.call('HDEL', job, 'message') end
  set_state(id, state)
end

-- Removes a job from the sets of ended jobs.
local function exhume(id, state)
  for _, name in ipairs(ended_sets(id, state)) do redis.call('ZREM', key(name), id) end
end

-- Deletes an ended job and all its index entries.
local function forget(id)
  local known = redis.call('HMGET', job_key(id), 'state', 'project')
  local state, project = known[1], known[2]
  exhume(id, state)
  for _, index in ipairs({'all', 'project:' .. project, 'state:' .. state,
      'state:' .. state .. ':project:' .. project}) do
    redis.call('ZREM', key('index:' .. index), id)
  end
  redis.call('ZREM', key('results'), id)
  redis.call('DEL', job_key(id))
end

-- recover: give back the jobs of workers that fell silent, and live jobs that no list holds.
-- ARGV: every_ms, batch, max_starts, error of a job that loses too many workers (JSON), amnesty_ms,
--       retain (0: forget a job that ended)
-- Returns {} when another ran lately, else {id, outcome (queued|cancelled|failed|relisted), track of
--         the worker that fell silent or '', …}
local every_ms, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
local max_starts, lost = tonumber(ARGV[3]), ARGV[4]

-- Of all workers that ask, one in every period does it.
if not redis.call('SET', key('recovering'), '1', 'NX', 'PX', every_ms) then return {} end

local told = {}
local function tell(id, outcome, lost_track)
  if ARGV[6] == '0' and outcome ~= 'queued' and outcome ~= 'relisted' then forget(id) end
  told[#told + 1] = id
  told[#told + 1] = outcome
  told[#told + 1] = lost_track or ''
end

local function give_back(id)
  local job = job_key(id)
  local known = redis.call('HMGET', job, 'cancel_requested', 'starts', 'queued_us', 'message')
  redis.call('ZREM', key('active'), id)
  if known[1] then
    finish(id, 'cancelled')
    return 'cancelled'
  end
  -- Starts without an end: each is a worker that died with this job. A job without its
  -- message can never be run.
  if tonumber(known[2]) >= max_starts or not known[4] then
    redis.call('HSET', job, 'error', lost)
    finish(id, 'failed')
    return 'failed'
  end
  redis.call('HDEL', job, 'lease_until', 'due_at')
  enqueue(id, known[3] or stamp())
  return 'queued'
end

local place = redis.call('HMGET', key('round'), 'state', 'created_us', 'ran_at', 'amnesty_until')

-- After an outage every lease has run out, and its holder may be alive: it gets the time to say so.
local amnesty_until = tonumber(place[4] or '0')
if place[3] and now_ms - tonumber(place[3]) > 5 * every_ms then
  amnesty_until = now_ms + tonumber(ARGV[5])
end
redis.call('HSET', key('round'), 'ran_at', text(now_ms), 'amnesty_until', text(amnesty_until))

local silent = {}
if now_ms >= amnesty_until then
  silent = redis.call('ZRANGEBYSCORE', key('active'), '-inf', text(now_ms), 'LIMIT', 0, batch)
end
for _, id in ipairs(silent) do
  local known = redis.call('HMGET', job_key(id), 'state', 'track')
  if known[1] == 'active' then
    tell(id, give_back(id), known[2])
  else
    redis.call('ZREM', key('active'), id)
  end
end

-- A round over all live jobs, a batch a time: after a restore from an old copy, or a key that
-- was deleted by hand, a job may be in no list that anything is claimed from.
local LISTS = {'active', 'delayed', 'waiting:high', 'waiting:normal', 'waiting:low'}
local following = {queued = 'active', active = 'delayed', delayed = 'queued'}
local state = place[1] or 'queued'
local rows = redis.call('ZRANGEBYSCORE', key('index:state:' .. state),
  place[2] and ('(' .. place[2]) or '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, batch)
for row = 1, #rows, 2 do
  local id = rows[row]
  local priority = redis.call('HGET', job_key(id), 'priority')
  if not priority then -- a record that was deleted by hand: nothing can be given back
    for _, list in ipairs(LISTS) do redis.call('ZREM', key(list), id) end
    redis.call('ZREM', key('index:all'), id)
    redis.call('ZREM', key('index:state:' .. state), id)
  elseif not redis.call('ZSCORE', key(state == 'queued' and 'waiting:' .. priority or state), id) then
    local outcome = give_back(id)
    tell(id, outcome == 'queued' and 'relisted' or outcome)
  end
end
if #rows < 2 * batch then
  redis.call('HSET', key('round'), 'state', following[state])
  redis.call('HDEL', key('round'), 'created_us')
else
  redis.call('HSET', key('round'), 'state', state, 'created_us', rows[#rows])
end
return told

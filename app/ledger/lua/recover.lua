-- recover: give back the jobs of workers that fell silent, and live jobs that no list holds.
-- ARGV: every_ms, batch, max_starts, error of a job that loses too many workers (JSON), amnesty_ms,
--       retain (0: forget a job that ended)
-- Returns {} if a recovery ran within every_ms, else {id, outcome (queued|cancelled|failed|relisted),
--         track of the worker that fell silent or '', …}
local every_ms, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
local max_starts, lost = tonumber(ARGV[3]), ARGV[4]

-- Only one of the workers that ask recovers in each period. A last run in the future means that the
-- clock was set back. The key's expiry is then wrong too, so the stored time decides.
local last = tonumber(redis.call('GET', key('recovering')) or '')
if last and last <= now_ms and now_ms - last < every_ms then return {} end
redis.call('SET', key('recovering'), text(now_ms), 'PX', every_ms)

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
  -- Each start without an end is a worker that died with this job. A job without its message
  -- cannot run.
  if tonumber(known[2]) >= max_starts or not known[4] then
    redis.call('HSET', job, 'error', lost)
    finish(id, 'failed')
    return 'failed'
  end
  redis.call('HDEL', job, 'lease_until', 'due_at')
  enqueue(id, known[3] or stamp())
  return 'queued'
end

local place = redis.call('HMGET', key('round'), 'state', 'created_us', 'ran_at', 'amnesty_until',
  'all_us')
local ran_at = tonumber(place[3] or '')

-- The server's clock was set back, so all stored times are too late by that amount. A lease starts
-- again, unless its holder has renewed it since. Delayed jobs become due that much earlier.
if ran_at and ran_at > now_ms then
  for _, id in ipairs(redis.call('ZRANGE', key('active'), 0, -1)) do
    local known = redis.call('HMGET', job_key(id), 'heartbeat_at', 'lease_until')
    local beat_at = tonumber(known[1] or '')
    if beat_at and beat_at > now_ms then
      local until_ms = text(now_ms + tonumber(known[2]) - beat_at)
      redis.call('ZADD', key('active'), until_ms, id)
      redis.call('HSET', job_key(id), 'lease_until', until_ms, 'heartbeat_at', text(now_ms))
    end
  end
  local rows = redis.call('ZRANGEBYSCORE', key('delayed'), text(ran_at), '+inf', 'WITHSCORES')
  for row = 1, #rows, 2 do
    local due_at = text(tonumber(rows[row + 1]) - ran_at + now_ms)
    redis.call('ZADD', key('delayed'), due_at, rows[row])
    if redis.call('HEXISTS', job_key(rows[row]), 'due_at') == 1 then
      redis.call('HSET', job_key(rows[row]), 'due_at', due_at)
    end
  end
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', key('workers'), text(now_ms), '+inf')) do
    -- Live workers report every second; dead ones expire soon.
    redis.call('ZADD', key('workers'), text(now_ms - 10000), worker)
  end
end

-- After an outage every lease has expired, although its holder may be alive. Let it renew first.
local amnesty_ms, amnesty_until = tonumber(ARGV[5]), tonumber(place[4] or '0')
if ran_at and now_ms - ran_at > 5 * every_ms then amnesty_until = now_ms + amnesty_ms end
if amnesty_until - now_ms > amnesty_ms then amnesty_until = 0 end -- the clock was set back
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

-- Adds a job to indexes that have lost it. Returns false if the job has no record.
local function list_again(id, ...)
  local known = redis.call('HMGET', job_key(id), 'state', 'project', 'created_us')
  if not known[1] then return false end
  if not (known[2] and known[3]) then return true end -- a record that was edited by hand and is incomplete
  local project = ':project:' .. known[2]
  local names = {all = {'all'}, project = {project:sub(2)},
    state = {'state:' .. known[1], 'state:' .. known[1] .. project}}
  for _, kind in ipairs({...}) do
    for _, name in ipairs(names[kind]) do
      redis.call('ZADD', key('index:' .. name), 'NX', known[3], id)
    end
  end
  return true
end

-- First round: all live jobs, one batch per call. After a restore from an old copy, or if a key was
-- deleted by hand, a job may be in no list from which jobs are claimed.
local LISTS = {'active', 'delayed', 'waiting:high', 'waiting:normal', 'waiting:low'}
local following = {queued = 'active', active = 'delayed', delayed = 'queued'}
local state = place[1] or 'queued'
local rows = redis.call('ZRANGEBYSCORE', key('index:state:' .. state),
  place[2] and ('(' .. place[2]) or '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, batch)
for row = 1, #rows, 2 do
  local id = rows[row]
  local priority = redis.call('HGET', job_key(id), 'priority')
  if not priority then -- the record was deleted by hand, so there is nothing to queue
    for _, list in ipairs(LISTS) do redis.call('ZREM', key(list), id) end
    redis.call('ZREM', key('index:all'), id)
    redis.call('ZREM', key('index:state:' .. state), id)
  else
    list_again(id, 'all', 'project')
  end
  if priority and not redis.call('ZSCORE', key(state == 'queued' and 'waiting:' .. priority or state), id) then
    local outcome = give_back(id)
    tell(id, outcome == 'queued' and 'relisted' or outcome)
  end
end

-- Adds an ended job to the sets that have lost it. A job in no set is never swept.
local function list_ended(id)
  local known = redis.call('HMGET', job_key(id), 'state', 'finished_us', 'expired_at')
  local state, at = known[1], known[2]
  if not at then return end
  for _, name in ipairs(ended_sets(id, state)) do redis.call('ZADD', key(name), 'NX', at, id) end
  if state == 'completed' and not known[3] and redis.call('HEXISTS', job_key(id), 'artifacts') == 1 then
    redis.call('ZADD', key('results'), 'NX', at, id)
  end
end

-- Second round: all recorded jobs, because the first finds live jobs through a single index.
local all = redis.call('ZRANGEBYSCORE', key('index:all'),
  place[5] and ('(' .. place[5]) or '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, batch)
for row = 1, #all, 2 do
  if list_again(all[row], 'state', 'project') then
    list_ended(all[row])
  else
    redis.call('ZREM', key('index:all'), all[row])
  end
end
if #all < 2 * batch then
  redis.call('HDEL', key('round'), 'all_us')
else
  redis.call('HSET', key('round'), 'all_us', all[#all])
end

if #rows < 2 * batch then
  redis.call('HSET', key('round'), 'state', following[state])
  redis.call('HDEL', key('round'), 'created_us')
else
  redis.call('HSET', key('round'), 'state', state, 'created_us', rows[#rows])
end
return told

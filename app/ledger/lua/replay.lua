-- replay: queue dead letters again with no attempts spent, as if just admitted.
-- ARGV: token, max (-1: none), id, …
-- Returns {outcome, …}, one for each id: replayed | missing | live | ended | full | lost
local token, max = ARGV[1], tonumber(ARGV[2])
local live = depth()

local function replay(id)
  local job = job_key(id)
  local known = redis.call('HMGET', job, 'state', 'replay', 'message')
  if not known[1] then return 'missing' end
  -- The same token again: the reply to the first call was lost, or an id is given twice.
  if known[2] == token then return 'replayed' end
  if known[1] == 'completed' or known[1] == 'cancelled' then return 'ended' end
  if known[1] ~= 'failed' then return 'live' end
  if not known[3] then return 'lost' end
  if max >= 0 and live >= max then return 'full' end
  live = live + 1
  exhume(id, 'failed')
  redis.call('HINCRBY', job, 'replays', 1)
  redis.call('HSET', job, 'replay', token, 'attempts', '0', 'starts', '0')
  redis.call('HDEL', job, 'error', 'warnings', 'plan', 'artifacts', 'started_us', 'finished_us',
    'heartbeat_at', 'phase', 'frames_done', 'frames_total')
  enqueue(id, stamp())
  return 'replayed'
end

local outcomes = {}
for argument = 3, #ARGV do outcomes[#outcomes + 1] = replay(ARGV[argument]) end
return outcomes

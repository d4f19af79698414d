-- sweep: expire results; delete old records, and dead letters that are too old or too many.
-- ARGV: batch, ages in ms of results, of records, of dead letters, most dead letters
-- Returns {ids whose files are to be deleted, number of records forgotten, ids of dead letters
-- forgotten, 1 if there is more to do}
local batch, dead_max = tonumber(ARGV[1]), tonumber(ARGV[5])
local function before(age_ms) return text(now_us - tonumber(age_ms) * 1000) end
local function oldest(name, until_us)
  return redis.call('ZRANGEBYSCORE', key(name), '-inf', until_us, 'LIMIT', 0, batch)
end

-- A result stays listed until its files are deleted, so the next sweep finishes for one that died.
local expired = oldest('results', before(ARGV[2]))
for _, id in ipairs(expired) do redis.call('HSETNX', job_key(id), 'expired_at', text(now_ms)) end

local forgotten, more = 0, #expired == batch
for _, state in ipairs({'completed', 'cancelled'}) do
  local ids = oldest(state, before(ARGV[3]))
  for _, id in ipairs(ids) do
    if not redis.call('ZSCORE', key('results'), id) then
      forget(id)
      forgotten = forgotten + 1
      more = more or #ids == batch
    end
  end
end

local dead = oldest('failed', before(ARGV[4]))
for _, id in ipairs(dead) do forget(id) end
local surplus = math.min(batch, redis.call('ZCARD', key('failed')) - dead_max)
if surplus > 0 then
  for _, id in ipairs(redis.call('ZRANGE', key('failed'), 0, surplus - 1)) do
    forget(id)
    dead[#dead + 1] = id
  end
end
if #dead >= batch then more = true end
return {expired, forgotten, dead, more and 1 or 0}

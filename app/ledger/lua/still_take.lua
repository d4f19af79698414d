-- still_take: record that a worker draws stills, and take the request that has waited longest.
-- ARGV: ms for which the record holds
-- Returns {id, request, ms that are left} or nil
redis.call('SET', key('stills:slot'), '1', 'PX', ARGV[1])
while true do
  local popped = redis.call('ZPOPMIN', key('stills'))
  if not popped[1] then return nil end
  local id, left_ms = popped[1], tonumber(popped[2]) - now_ms
  local request = redis.call('GET', key('still:' .. id))
  if request and left_ms > 0 then
    -- Empty from now on: it says that somebody still waits.
    redis.call('SET', key('still:' .. id), '', 'PX', text(left_ms))
    if redis.call('ZCARD', key('stills')) > 0 and redis.call('LLEN', key('stills:wake')) == 0 then
      redis.call('RPUSH', key('stills:wake'), '1')
    end
    return {id, request, left_ms}
  end
end

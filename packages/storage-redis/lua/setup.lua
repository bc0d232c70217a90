-- Decides the version of the schema and the number of shards, once for all: KEYS[1] is where they stand. Answers what stands.
redis.call("HSETNX", KEYS[1], "version", ARGV[1])
redis.call("HSETNX", KEYS[1], "shards", ARGV[2])
return redis.call("HMGET", KEYS[1], "version", "shards")

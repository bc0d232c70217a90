import { Redis } from "ioredis";
import { redisUrl } from "../server/redis.ts";
import type { Floor, FloorLoad } from "./floor-load.ts";
import { activityData, CLOSED_DATA, type Held, LEASE_MS, OUTPUT } from "./held.ts";
import { randomId } from "./random-id.ts";
import { CLAIM, CLOSE, COMMIT } from "./redis-scripts.ts";
import { requireAll, workOff } from "./work-off.ts";

/** A claim is one script, a commit another. */
export const redisFloor: Floor = async (prefix, load, started) => {
  const client = new Redis(redisUrl());
  try {
    await doFloor(client, `${prefix}{default:0}:`, load, started);
  } finally {
    client.disconnect();
  }
};

type Claimed = readonly [runId: string, epoch: string, head: string, input: string];

async function doFloor(client: Redis, prefix: string, load: FloorLoad, started: () => void): Promise<void> {
  const scripts = new Map<string, string>();
  for (const text of [CLAIM, COMMIT, CLOSE]) {
    scripts.set(text, (await client.script("LOAD", text)) as string);
  }
  const run = (text: string, args: readonly (string | number)[]): Promise<unknown> =>
    client.evalsha(scripts.get(text)!, 1, prefix, ...args);

  const [[lane, priorities]] = Object.entries(await client.hgetall(`${prefix}lanes`)) as [[string, string]];
  const set = `${priorities.split(",")[1]}:${lane}`;
  const instance = randomId();
  // By their numbers.
  const runIds: string[] = [];
  started();
  await workOff(
    {
      claim: async (limit) => {
        const now = Date.now();
        const claimed = (await run(CLAIM, [set, now, limit, now + LEASE_MS, instance])) as readonly Claimed[];
        return claimed.map(([runId, epoch, head, input]) => {
          const no = runIds.push(runId) - 1;
          return { no, epoch: Number(epoch), seq: Number(head), input: Number(input) };
        });
      },
      commit: async (held, activity, isLast) => {
        const now = Date.now();
        const args = held.flatMap((one) => [
          runIds[one.no]!,
          one.epoch,
          one.seq,
          randomId(),
          completed(one, activity, now),
        ]);
        const written = isLast
          ? await run(CLOSE, [set, now, instance, OUTPUT, event("", now, "WORKFLOW_COMPLETED", CLOSED_DATA), ...args])
          : await run(COMMIT, args);
        requireAll(Number(written), held);
        for (const one of held) one.seq += isLast ? 2 : 1;
      },
    },
    load,
  );
}

function completed(held: Held, activity: number, now: number): string {
  return event(activity, now, "ACTIVITY_COMPLETED", activityData(held, activity));
}

/** As the adapter stores it. */
function event(command: number | "", at: number, type: string, data: string): string {
  return `${command} ${at} ${type.length} ${type}${data}`;
}

import { Client, type QueryResult, types } from "pg";
import { postgresUrl } from "../server/postgres.ts";
import type { Floor } from "./floor-load.ts";
import { activityData, CLOSED_DATA, type Held, LEASE_MS, OUTPUT } from "./held.ts";
import { postgresStatements } from "./postgres-statements.ts";
import { randomId } from "./random-id.ts";
import { requireAll, workOff } from "./work-off.ts";

const INT8 = 20;
const SEPARATOR = "\u001e";

type Execute = <Row extends object>(name: string, text: string, values: unknown[]) => Promise<QueryResult<Row>>;

/** A claim is one statement, a commit another. More connections were not faster. */
export const postgresFloor: Floor = async (schema, load, started) => {
  const client = new Client(postgresUrl());
  await client.connect();
  try {
    await client.query("set plan_cache_mode = force_generic_plan; set jit = off");
    await doFloor(client, schema, load, started);
  } finally {
    await client.end();
  }
};

async function doFloor(client: Client, schema: string, load: Parameters<Floor>[1], started: () => void): Promise<void> {
  const { lane: findLane, claim, commit, close } = postgresStatements(schema);
  const parsers = { getTypeParser: (oid: number) => (oid === INT8 ? Number : types.getTypeParser(oid)) };
  const execute: Execute = (name, text, values) => client.query({ name, text, values, types: parsers as never });

  const { rows: lanes } = await execute<{ no: number }>("lane", findLane, []);
  const lane = lanes[0]!.no;
  const instance = randomId();
  started();
  await workOff(
    {
      claim: async (limit) => {
        const now = Date.now();
        const { rows } = await execute<Claimed>("claim", claim, [lane, now, limit, now + LEASE_MS, instance]);
        return rows.map(({ run: no, epoch, last_seq: seq, input }) => ({ no, epoch, seq, input: Number(input) }));
      },
      commit: async (held, activity, isLast) => {
        const values = [...columns(held, activity), activity, Date.now()];
        const { rowCount } = isLast
          ? await execute("close", close, [...values, OUTPUT, CLOSED_DATA])
          : await execute("commit", commit, values);
        requireAll(rowCount ?? 0, held);
        for (const run of held) run.seq += isLast ? 2 : 1;
      },
    },
    load,
  );
}

interface Claimed {
  readonly run: number;
  readonly epoch: number;
  readonly last_seq: number;
  readonly input: string;
}

/** What is different for each run, as one text for each column. */
function columns(held: readonly Held[], activity: number): string[] {
  return [
    held.map(({ no }) => no).join(","),
    held.map(({ epoch }) => epoch).join(","),
    held.map(({ seq }) => seq).join(","),
    held.map(() => randomId()).join(","),
    held.map((run) => activityData(run, activity)).join(SEPARATOR),
  ];
}

import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { mysqlUrl } from "../server/mysql.ts";
import type { Floor, FloorLoad } from "./floor-load.ts";
import { type Held, LEASE_MS } from "./held.ts";
import { chooseText, closeText, holdText, leaseText, lockText } from "./mysql-statements.ts";
import { randomId } from "./random-id.ts";
import { requireAll, workOff } from "./work-off.ts";

/**
 * Claims and commits are two trips each: what was locked is looked at before anything is written. To have the server look, in one
 * trip, takes it as long. A second connection does a sixth more, for a third more of the server's time.
 */
export const mysqlFloor: Floor = async (database, load, started) => {
  const connection = await mysql.createConnection({ uri: mysqlUrl(database), multipleStatements: true });
  try {
    await connection.query("set session transaction isolation level read committed");
    await doFloor(connection, load, started);
  } finally {
    await connection.end();
  }
};

async function doFloor(connection: Connection, load: FloorLoad, started: () => void): Promise<void> {
  const execute = async <Row extends RowDataPacket>(text: string, at: number): Promise<readonly Row[]> => {
    const [results] = await connection.query<Row[][]>(text);
    return results[at]!;
  };
  const [lanes] = await connection.query<RowDataPacket[]>("select no from perdure_lanes");
  const lane = Number(lanes[0]!["no"]);
  const instance = randomId();
  started();
  await workOff(
    {
      claim: async (limit) => {
        const now = Date.now();
        const chosen = await execute<RowDataPacket & { no: number }>(chooseText(lane, now, limit), 1);
        if (chosen.length === 0) return [];
        const claimed = await execute<Claimed>(leaseText(chosen, instance, now + LEASE_MS), 1);
        return claimed.map(({ run: no, epoch, last_seq: seq, input }) => ({ no, epoch, seq, input: Number(input) }));
      },
      commit: async (held, activity, isLast) => {
        const locked = await execute<RowDataPacket & Held>(lockText(held), 1);
        const heads = new Map(locked.map((head) => [head.no, head]));
        requireAll(held.filter((run) => isSame(run, heads.get(run.no))).length, held);
        await connection.query((isLast ? closeText : holdText)(held, activity, Date.now()));
        for (const run of held) run.seq += isLast ? 2 : 1;
      },
    },
    load,
  );
}

interface Claimed extends RowDataPacket {
  readonly run: number;
  readonly epoch: number;
  readonly last_seq: number;
  readonly input: string;
}

function isSame(run: Held, head: Held | undefined): boolean {
  return head !== undefined && head.epoch === run.epoch && head.seq === run.seq;
}
